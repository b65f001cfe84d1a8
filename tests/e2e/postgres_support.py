"""A PostgreSQL server with pgvector for one test run; tools/setup/fetch.sh fetches it."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import ROOT


class PostgresServer:
    """Listens on a Unix socket in a folder of its own; every test may make databases in it."""

    def __init__(self):
        found = subprocess.run([ROOT / "tools/setup/fetch.sh", "postgres"], capture_output=True, text=True)
        if found.returncode != 0:
            raise unittest.SkipTest("no PostgreSQL: " + found.stderr.strip())
        self.folder = Path(tempfile.mkdtemp(prefix="openclip_pg_"))
        self.install = Path(found.stdout.strip())
        self.prefix = []
        if os.geteuid() == 0:  # the server refuses to run as root, and nobody reads root's cache
            package = self.install.parent
            for name in (package.name, package.name + ".libs"):
                shutil.copytree(package.parent / name, self.folder / name)
            self.install = self.folder / package.name / "pginstall"
            subprocess.run(["chown", "-R", "nobody", self.folder], check=True)
            self.prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        data = self.folder / "data"
        self.call("initdb", "--pgdata", data, "--username=postgres", "--auth=trust", "--encoding=UTF8",
                  "--no-locale", "--no-sync")
        self.data = data
        self.start()

    def call(self, program, *arguments):
        done = subprocess.run([*self.prefix, self.install / "bin" / program, *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}")
        return done.stdout

    def start(self):
        self.call("pg_ctl", "--pgdata", self.data, "--wait", "--log", self.folder / "log", "--options",
                  f"-k {self.folder} -c listen_addresses=", "start")

    def stop(self):
        self.call("pg_ctl", "--pgdata", self.data, "--wait", "--mode=fast", "stop")

    def url(self, database, options=""):
        host = str(self.folder).replace("/", "%2F")
        return f"postgresql://postgres@{host}/{database}{options}"

    def sql(self, statement, database="postgres"):
        return self.call("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--username=postgres",
                         "--host", self.folder, "--dbname", database, "--command", statement).strip()

    def create(self, database):
        self.sql(f"CREATE DATABASE {database}")
        return self.url(database)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)
