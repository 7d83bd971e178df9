# SPDX-License-Identifier: MIT
"""A machine with another kernel: Debian's, under qemu, without KVM.

    result = Machine().run("uname -r", timeout=120)
    result.status, result.output

Its root is this machine's, read-only and shared by 9p, so that every program, library and test that is here is there
as well, and nothing has to be packed. What is written there goes to memory and is gone with it, but for the folder
that is shared for that: $HOT_SHARED. The script is run by sh as root, with the loopback interface up; it ends the
machine. A machine that has not ended in time is killed.

tools/deps (heavy) brings qemu, busybox, and the kernel, which is unpacked and not installed.
"""

import glob
import os
import re
import shlex
import shutil
import subprocess
import tempfile

from cpio import Archive

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
KERNEL = os.environ.get("HOT_KERNEL_DIR", os.path.join(SOURCE, "build", "deps", "kernel"))
QEMU = "qemu-system-x86_64"

# What it takes to get at the root, and what TLS of the kernel does its work with.
ROOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
TLS_MODULES = ("ctr", "ghash-generic", "gcm", "chacha_generic", "poly1305_generic", "chacha20poly1305", "tls")

INIT = """#!/bin/busybox sh
export PATH=/bin:/sbin
/bin/busybox --install -s /bin
mkdir -p /proc /sys /host /memory
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in {modules}; do insmod /$module.ko; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host &&
mount -t tmpfs memory /memory && mkdir /memory/upper /memory/work /memory/root &&
mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work overlay /memory/root &&
mkdir -p /memory/root/{shared} &&
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 shared /memory/root/{shared} || poweroff -f
root=/memory/root
mount -t proc proc $root/proc
mount -t sysfs sys $root/sys
mount -t devtmpfs dev $root/dev
mkdir -p $root/dev/shm $root/dev/pts
for memory in dev/shm run; do mount -t tmpfs memory $root/$memory; done
mount -t devpts pts $root/dev/pts
ip link set lo up
ulimit -n 65536
chroot $root /bin/sh /{shared}/run </dev/null >$root/{shared}/output 2>&1
echo $? >$root/{shared}/status
sync
poweroff -f
"""


def missing():
    """Why there can be no such machine here, or None."""
    if not shutil.which(QEMU):
        return f"no {QEMU}"
    if not kernel():
        return f"no kernel in {KERNEL}"
    if not busybox():
        return "no busybox that needs no libraries"
    return None


def kernel():
    return next(iter(sorted(glob.glob(os.path.join(KERNEL, "boot", "vmlinuz-*")))), None)


def busybox():
    path = shutil.which("busybox")
    if not path:
        return None
    with open(path, "rb") as file:
        return None if b"ld-linux" in file.read(4096) else path


def module_paths():
    """Where each module is, as the kernel was unpacked. A module calls itself with _ for -."""
    paths = glob.glob(os.path.join(KERNEL, "lib", "modules", "**", "*.ko"), recursive=True)
    return {os.path.basename(path)[:-3].replace("-", "_"): path for path in paths}


def with_needed(names):
    """These modules, each behind those it needs: [(name, content)]."""
    paths, loaded = module_paths(), {}

    def load(name):
        if name in loaded or name not in paths:
            return  # or it is a part of this kernel
        with open(paths[name], "rb") as file:
            content = file.read()
        needed = re.search(rb"\0depends=([^\0]*)\0", content)
        for other in needed[1].decode().split(",") if needed else ():
            load(other.replace("-", "_"))
        loaded[name] = content

    for name in names:
        load(name.replace("-", "_"))
    return list(loaded.items())


def initial(names, shared):
    """The archive that the kernel begins with: what it takes to get at the real root."""
    archive, modules = Archive(), with_needed(names)
    for name in ("bin", "dev"):
        archive.folder(name)
    with open(busybox(), "rb") as file:
        archive.file("bin/busybox", file.read(), 0o755)
    for name, content in modules:
        archive.file(f"{name}.ko", content)
    script = INIT.format(modules=" ".join(name for name, _ in modules), shared=shared)
    archive.file("init", script.encode(), 0o755)
    return archive.finish()


class Result:
    def __init__(self, status, output, console):
        self.status, self.output, self.console = status, output, console

    def __repr__(self):
        return f"status {self.status}\n{self.output}\n-- console --\n{self.console[-4000:]}"


class Machine:
    def __init__(self, modules=TLS_MODULES, memory="1024M", cpus=2):
        self.modules, self.memory, self.cpus = ROOT_MODULES + tuple(modules), memory, cpus

    def run(self, script, timeout, env=None):
        """Run it there. The status is None if the machine did not get that far."""
        with tempfile.TemporaryDirectory(prefix="hot-machine-") as folder:
            shared = os.path.join(folder, "shared")
            os.mkdir(shared)
            with open(os.path.join(folder, "initrd"), "wb") as file:
                file.write(initial(self.modules, "hot-shared"))
            self.write_script(shared, script, env or {})
            console = self.start(folder, shared, timeout)
            return Result(self.read(shared, "status"), self.read(shared, "output") or "", console)

    def write_script(self, shared, script, env):
        with open(os.path.join(shared, "run"), "w", encoding="utf-8") as file:
            file.write("export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp "
                       "HOT_SHARED=/hot-shared\n")
            for name, value in env.items():
                file.write(f"export {name}={shlex.quote(value)}\n")
            file.write(script)

    def start(self, folder, shared, timeout):
        log = os.path.join(folder, "console")
        command = [
            QEMU, "-nodefaults", "-no-reboot", "-display", "none", "-cpu", "max", "-smp", str(self.cpus),
            "-m", self.memory, "-kernel", kernel(), "-initrd", os.path.join(folder, "initrd"),
            "-append", "console=ttyS0 panic=-1 random.trust_cpu=on mitigations=off", "-serial", f"file:{log}",
            "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
            "-virtfs", f"local,path={shared},mount_tag=shared,security_model=none"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=timeout, check=False)
            ending = done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            ending = f"killed after {timeout} seconds"
        return (self.read(folder, "console") or "") + ending

    @staticmethod
    def read(folder, name):
        try:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                text = file.read()
        except FileNotFoundError:
            return None
        return int(text) if name == "status" else text
