/** `container.runtime`: the program that starts containers for docker and podman, and what each needs for our sockets. */
import { basename } from 'node:path';
import type { ContainerSpec } from './container.ts';

export type RuntimeKind = 'gvisor' | 'kata' | 'other';

export function runtimeKind(runtime: string): RuntimeKind {
  const name = basename(runtime).toLowerCase();
  if (/^(runsc|gvisor)/.test(name)) return 'gvisor';
  return /^(kata|io\.containerd\.kata)/.test(name) ? 'kata' : 'other';
}

/** Arguments before `run` and after it. Pure. */
export function runtimeArguments(
  { name, runtime }: { name: 'docker' | 'podman'; runtime: string | null },
  network: ContainerSpec['network'],
): { before: string[]; after: string[] } {
  if (runtime === null) return { before: [], after: [] };
  // docker passes flags to a runtime only from its own configuration.
  if (name === 'docker') return { before: [], after: ['--runtime', runtime] };
  return { before: ['--runtime', runtime, ...flagsOf(runtime, network)], after: [] };
}

/**
 * gVisor opens no socket of this machine unless it is told to, and ours are the only way out. It also sees the network
 * namespace that podman makes for `none` as this machine's own, and refuses to start without the second flag (seen with
 * runsc 20221219 and podman 4.3).
 */
function flagsOf(runtime: string, network: ContainerSpec['network']): string[] {
  if (runtimeKind(runtime) !== 'gvisor') return [];
  const flags = ['host-uds=open', `network=${network}`];
  return flags.flatMap((flag) => ['--runtime-flag', flag]);
}

/** What to do when nothing starts with this runtime; `said`: the engine's own words. */
export function runtimeRemedy({ name, runtime }: { name: string; runtime: string }, said: string): string {
  if (/not found|no such file|unknown or invalid runtime|executable file|invalid runtime name/i.test(said)) {
    return name === 'docker'
      ? `Install ${runtime} and name it under "runtimes" in /etc/docker/daemon.json, or correct container.runtime.`
      : `Install ${runtime}, or write its whole path into container.runtime.`;
  }
  if (/cgroups? in hybrid mode/i.test(said)) {
    return `${runtime} wants control groups of one version: start the machine with systemd.unified_cgroup_hierarchy=1, or take runc.`;
  }
  if (runtimeKind(runtime) === 'kata') {
    return 'Kata runs each container in a virtual machine: /dev/kvm must be there and usable, and "kata-runtime check" must be content.';
  }
  return `Make "${name} run --rm --network none <image> true" work with this runtime, or take out container.runtime.`;
}

/** What to do when a container starts and reaches no socket of this machine. */
export function socketRemedy({ name, runtime }: { name: string; runtime: string | null }): string {
  if (runtime === null) return 'Look for a policy (SELinux, AppArmor) that denies connecting to a socket.';
  if (runtimeKind(runtime) === 'gvisor') {
    return name === 'docker'
      ? 'Give the runtime the flag in /etc/docker/daemon.json: "runtimeArgs": ["--host-uds=open"], then restart docker.'
      : 'Use a release of gVisor that knows --host-uds (since December 2022).';
  }
  if (runtimeKind(runtime) === 'kata') {
    return 'A virtual machine of Kata does not reach sockets of this machine, and model and doors are sockets: take runsc for more isolation, or runc.';
  }
  return `${runtime} must let a container connect to a mounted unix socket; take another runtime.`;
}
