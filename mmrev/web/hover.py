"""The name of the class or object under the mouse. It runs in the browser, on the masks that gradio shows."""

# a mask is fitted into its frame with its proportions kept (CSS: object-fit: contain); the last mask lies on top
HOVER = """
() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const pixel = canvas.getContext('2d', {willReadFrequently: true});
  const note = document.createElement('div');
  note.id = 'under-the-mouse';
  document.body.append(note);

  const covers = (mask, x, y) => {
    const frame = mask.getBoundingClientRect();
    const scale = Math.min(frame.width / mask.naturalWidth, frame.height / mask.naturalHeight);
    const column = (x - frame.left - (frame.width - scale * mask.naturalWidth) / 2) / scale;
    const row = (y - frame.top - (frame.height - scale * mask.naturalHeight) / 2) / scale;
    if (column < 0 || row < 0 || column >= mask.naturalWidth || row >= mask.naturalHeight) return false;
    pixel.clearRect(0, 0, 1, 1);
    pixel.drawImage(mask, Math.floor(column), Math.floor(row), 1, 1, 0, 0, 1, 1);
    return pixel.getImageData(0, 0, 1, 1).data[3] > 0;
  };

  const nameAt = (picture, x, y) => {
    const names = [...picture.querySelectorAll('.legend-item')];
    const masks = [...picture.querySelectorAll('img.mask')];
    const index = masks.findLastIndex((mask) => mask.complete && mask.naturalWidth && covers(mask, x, y));
    return index < 0 ? '' : names[index].textContent;
  };

  document.addEventListener('mousemove', (event) => {
    const picture = event.target.closest?.('.image-container')?.closest('#prediction');
    note.textContent = picture ? nameAt(picture, event.clientX, event.clientY) : '';
    note.style.left = `${event.clientX + 14}px`;
    note.style.top = `${event.clientY + 14}px`;
  });
}
"""
