import { describe, expect, it } from 'vitest';
import { runtimeArguments, runtimeKind, runtimeRemedy, socketRemedy } from './runtime.ts';

describe('container.runtime', () => {
  it('is asked for in the way of each engine', () => {
    expect(runtimeArguments({ name: 'podman', runtime: null }, 'none')).toEqual({ before: [], after: [] });
    expect(runtimeArguments({ name: 'podman', runtime: 'crun' }, 'none')).toEqual({
      before: ['--runtime', 'crun'],
      after: [],
    });
    expect(runtimeArguments({ name: 'docker', runtime: 'runsc' }, 'none')).toEqual({
      before: [],
      after: ['--runtime', 'runsc'],
    });
  });

  it('gets what our sockets need in gVisor', () => {
    const { before } = runtimeArguments({ name: 'podman', runtime: '/opt/bin/runsc' }, 'none');
    expect(before.join(' ')).toBe(
      '--runtime /opt/bin/runsc --runtime-flag host-uds=open --runtime-flag network=none',
    );
    const host = runtimeArguments({ name: 'podman', runtime: 'runsc' }, 'host');
    expect(host.before).toContain('network=host');
  });

  it.each([
    ['runsc', 'gvisor'],
    ['/usr/local/bin/runsc-kvm', 'gvisor'],
    ['kata-runtime', 'kata'],
    ['io.containerd.kata.v2', 'kata'],
    ['crun', 'other'],
    ['/usr/bin/runc', 'other'],
  ])('%s is of the kind %s', (runtime, kind) => expect(runtimeKind(runtime)).toBe(kind));

  it('has a remedy for what is missing', () => {
    const podman = (said: string) => runtimeRemedy({ name: 'podman', runtime: 'crun' }, said);
    expect(podman('default OCI runtime "crun" not found: invalid argument')).toContain('Install crun');
    expect(podman('cgroups in hybrid mode not supported')).toContain('unified_cgroup_hierarchy');
    const docker = runtimeRemedy(
      { name: 'docker', runtime: 'runsc' },
      'unknown or invalid runtime name: runsc',
    );
    expect(docker).toContain('/etc/docker/daemon.json');
    expect(runtimeRemedy({ name: 'podman', runtime: 'kata' }, 'no KVM')).toContain('/dev/kvm');
    expect(socketRemedy({ name: 'docker', runtime: 'runsc' })).toContain('--host-uds=open');
    expect(socketRemedy({ name: 'podman', runtime: 'kata' })).toContain('does not reach sockets');
  });
});
