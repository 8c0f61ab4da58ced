import sys

from mmrev.cli.convert import main

if __name__ == '__main__':
    sys.exit(main())
