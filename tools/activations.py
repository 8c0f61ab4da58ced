import sys

from mmrev.cli.main import main

if __name__ == '__main__':
    sys.exit(main(['activations', *sys.argv[1:]]))
