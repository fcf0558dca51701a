# shellcheck shell=bash disable=SC2154
# Sourced by scripts/setup for its group `cluster`: what scripts/lab cluster needs besides the group docker.
# Kubernetes and etcd are built from the Go modules that go.mod pins, since no distribution has them all. The folder
# is named by what they are built from, as cluster_plan.py knows, too.

kubernetes=(k8s.io/kubernetes/cmd/{kubectl,kube-apiserver,kube-controller-manager,kube-scheduler,kube-proxy,kubelet}
  go.etcd.io/etcd/server/v3)
kubernetes_module=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
kubernetes_folder=$cache/tools/kubernetes-$(cat "$kubernetes_module"/{go.mod,pause.c} | sha256sum | cut -c1-12)

want_cluster() {
  package containerd containerd ctr
  package containernetworking-plugins
  package gcc gcc; package libc6-dev
  package iproute2 ip; package iptables iptables
  package openssl openssl
  package runc runc
  package skopeo skopeo
  commands+=(kubectl)
  [[ -d $kubernetes_folder ]] && kubectl_is_there && return
  go_command >/dev/null || want_go
  side_by_side+=(install_kubernetes)
}

# Another kubectl stays as it is; the lab uses its own all the same.
kubectl_is_there() {
  [[ $(readlink "$bin/kubectl") == "$kubernetes_folder/kubectl" ]] && return
  [[ $(readlink "$bin/kubectl") != "$cache/tools/"* ]] && have kubectl
}

install_kubernetes() {
  local version name package number=0 partial=$kubernetes_folder.partial
  if [[ ! -d $kubernetes_folder ]]; then
    version=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' "$kubernetes_module/go.mod")
    say "Kubernetes $version from its Go modules: about 15 minutes of one processor, and 4 GB that go again"
    as_root mkdir -p "$partial"
    for package in "${kubernetes[@]}"; do
      name=${package##*/}
      [[ $package != */etcd/* ]] || name=etcd
      say "building $name ($((++number)) of ${#kubernetes[@]})"
      go_caches=kubernetes with_go CGO_ENABLED=0 go -C "$kubernetes_module" build -trimpath -o "$partial/$name" \
        -ldflags "-s -w $(version_flags "$version")" "$package"
    done
    as_root gcc -static -Os -s -o "$partial/pause" "$kubernetes_module/pause.c"
    as_root mv -T "$partial" "$kubernetes_folder"
  fi
  kubectl_is_there || as_root ln -sfn "$kubernetes_folder/kubectl" "$bin/kubectl"
}

# Without them each part says v0.0.0, and no two that differ would speak with one another.
version_flags() {
  local at=k8s.io/component-base/version major minor
  IFS=. read -r major minor _ <<<"${1#v}"
  echo "-X $at.gitVersion=$1 -X $at.gitMajor=$major -X $at.gitMinor=$minor"
}
