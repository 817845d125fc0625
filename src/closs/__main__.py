"""The command line: `python -m closs tour`, `plot NAME`, `info`; `--cflags`, `--libs`, `--pkgconfigdir` for builds."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import closs
from closs._config import build_flags


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; the exit status."""
    parser = argparse.ArgumentParser("python -m closs", description=str(closs.__doc__).splitlines()[0])
    parser.add_argument("--version", action="version", version=closs.__version__)
    parser.add_argument("--cflags", action="store_true", help="print the flags to compile against closs.h")
    parser.add_argument("--libs", action="store_true", help="print the flags to link the library")
    parser.add_argument("--pkgconfigdir", action="store_true", help="print the folder of closs.pc")
    parser.add_argument("--cmakedir", action="store_true", help="print the value for CMake's closs_DIR")
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("info", help="show the configuration")
    tour = commands.add_parser("tour", help="fit a linear model with every loss on real data")
    tour.add_argument("-o", "--output", default="closs-losses.png", help="where the figure goes (%(default)s)")
    plot = commands.add_parser("plot", help="draw one loss and its gradient")
    plot.add_argument("name", help="such as HuberLoss")
    plot.add_argument("-o", "--output", help="the image file (NAME.png)")
    options = parser.parse_args(arguments)
    asked = [options.cflags or options.libs, options.pkgconfigdir, options.cmakedir, options.command]
    if sum(map(bool, asked)) > 1:
        parser.error("expected --cflags and --libs, or one other option, or a command, got more than one of these")

    if options.cflags or options.libs:
        print(build_flags(cflags=options.cflags, libs=options.libs))
    elif options.pkgconfigdir:
        print(os.path.join(closs.get_library_dir(), "pkgconfig"))
    elif options.cmakedir:
        print(os.path.join(closs.get_library_dir(), "cmake", "closs"))
    elif options.command == "info":
        closs.show_config()
    elif options.command == "tour":
        from closs.tour import run

        return run(options.output)
    elif options.command == "plot":
        return _plot(options.name, options.output)
    else:
        parser.print_help()
    return 0


def _plot(name: str, output: str | None) -> int:
    from closs.gallery import exhibit

    try:
        item = exhibit(name)
        from closs.plotting import plot_losses

        print(plot_losses(output or f"{item.name}.png", [item]))
    except (ValueError, ImportError) as error:
        print(f"closs plot: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
