"""Starts a server and runs the example clients against it, each twice.

    check_clients.py SERVER FOLDER EXAMPLES PYTHON [NPM]

PYTHON is an interpreter with examples/python/requirements.txt; without NPM the TypeScript example is
left out.
"""

import os
import pathlib
import shutil
import subprocess
import sys

from check_http import free_port, wait_for


def run(command, folder, environment):
    print("$", " ".join(map(str, command)), flush=True)
    subprocess.run(command, cwd=folder, env=environment, check=True)


def main():
    # Not resolved: the interpreter of a virtual environment is a link to another.
    binary, folder, examples, python = (pathlib.Path(at).absolute() for at in sys.argv[1:5])
    npm = sys.argv[5] if len(sys.argv) > 5 else None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Generated code and packages stay out of the tree.
    shutil.copytree(
        examples, folder / "examples", ignore=shutil.ignore_patterns("generated", "node_modules")
    )
    url = f"http://127.0.0.1:{free_port()}"
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(
            [binary, "--data-dir", folder / "data", "--listen", url[7:], "--admin-listen", ""],
            stderr=log,
        )
    environment = dict(
        os.environ, VITALCAST_URL=url, PATH=f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    )
    try:
        wait_for(f"{url}/ready", server)
        here = folder / "examples/python"
        run(["sh", "generate.sh"], here, environment)
        for _ in range(2):
            run([python, "morning.py", "--url", url, "--user", "python"], here, environment)
        if npm:
            here = folder / "examples/typescript"
            run([npm, "ci", "--no-audit", "--no-fund"], here, environment)
            run([npm, "run", "generate"], here, environment)
            run([npm, "run", "check"], here, environment)
            for _ in range(2):
                run([npm, "start", "--", "--url", url, "--user", "typescript"], here, environment)
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
    finally:
        server.terminate()
        server.wait(timeout=60)
    # The people of the examples, and what they sent.
    text = (folder / "server.log").read_text()
    if any(f'"{person}"' in text or f"/{person}" in text for person in ("python", "typescript")):
        sys.exit("the log names a person")


if __name__ == "__main__":
    main()
