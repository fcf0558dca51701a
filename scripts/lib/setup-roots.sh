# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by scripts/setup: what a root of another Debian, or with another architecture, is made with, and what is
# installed in it. What it calls and sets is scripts/setup's.

readonly binfmt=/proc/sys/fs/binfmt_misc

# The kernel calls QEMU for an executable of arm64, also in a root where there is none. Debian's keyring verifies the
# packages of the root, whatever the machine is.
want_arm64() {
  package binfmt-support update-binfmts; package debootstrap debootstrap
  package qemu-user-static qemu-aarch64-static
  package util-linux unshare
  packages+=(debian-archive-keyring)
  [[ -e $binfmt/qemu-aarch64 ]] || extra+=(have_qemu_called)
}

# The package sees to it itself where the kernel's folder is mounted while it is installed and services may start.
have_qemu_called() {
  [[ -e $binfmt/register ]] || as_root mount -t binfmt_misc binfmt_misc "$binfmt"
  [[ -e $binfmt/qemu-aarch64 ]] || as_root update-binfmts --enable qemu-aarch64
}

# Another architecture's packages beside one's own: not what everybody wants of their machine, so in a root.
want_cross() {
  foreign=arm64
  package git git; package python3 python3
  package g++-aarch64-linux-gnu aarch64-linux-gnu-g++
  for_building :arm64
}

# Two compilers of Debian 13, and what the C++ unit tests call.
want_compilers() {
  group_build
  package g++-13 g++-13; package g++-14 g++-14
  packages+=(catch2 libbenchmark-dev postgresql)
  package git git; package openssl openssl; package procps ps; package python3 python3; package strace strace
}
