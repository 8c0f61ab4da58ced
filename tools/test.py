import sys

from mmrev.cli.test import main

if __name__ == '__main__':
    sys.exit(main())
