/** The commands as cron calls them: exit code, JSON, the script operators know. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { COMPILED } from '../../test/support/compiled.ts';
import { openProxy } from '../../test/support/proxy.ts';
import { needs } from '../../test/support/requirements.ts';
import { HOOK_SECRET, type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import type { DoctorReport } from '../checks/doctor.ts';
import type { SmokeReport } from '../checks/smoke-report.ts';
import { lockState } from '../state-lock.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/smoke-creds.sh', import.meta.url));
const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

function run(command: string[], secrets: Record<string, string> = SECRETS) {
  const env = { PATH: process.env.PATH, HOME: here.folder, ...COMPILED, ...secrets };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(command[0]!, command.slice(1), { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const SECRETS = { SECRET: HOOK_SECRET, TOKEN: 'dev-token', KEY: 'sk-ant-test-model-key' };

const whole = needs('cli', 'git', 'flock');
describe.skipIf(!whole.ok)(whole.title('smoke-creds.sh'), () => {
  test('0 when all is well; JSON without a secret', async () => {
    const { file } = here.config();
    const { code, stdout, stderr } = await run([SCRIPT, '--config', file, '--json']);
    const report = JSON.parse(stdout) as SmokeReport;
    expect(report.ok, stdout).toBe(true);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(report.checks.map((c) => c.check)).toContain('push');
    for (const secret of Object.values(SECRETS)) expect(stdout).not.toContain(secret);
  });

  test('a secret that is not set is `missing`, in the same shape', async () => {
    const { file } = here.config();
    const { TOKEN: _, ...others } = SECRETS;
    const { code, stdout } = await run([SCRIPT, '--config', file, '--json'], others);
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as SmokeReport).checks).toEqual([
      {
        agent: null,
        check: 'configuration',
        state: 'missing',
        detail: expect.stringContaining('forges.home.accounts.dev.token'),
        remedy: expect.stringContaining('TOKEN'),
      },
    ]);
  });
});

const mounts = needs('cli', 'git', 'bubblewrap', 'mount-namespace');
describe.skipIf(!mounts.ok)(mounts.title('a state folder that is too small'), () => {
  const onTmpfs = (size: string, then: string) => {
    const { file, state } = here.config({ container: { engine: 'bubblewrap' } });
    mkdirSync(state);
    const script = `mount -t tmpfs -o size=${size} none "$0" && ${then} && exec "$@"`;
    return run(['unshare', '-m', 'sh', '-c', script, state, SCRIPT, '--config', file, '--json']);
  };
  const layout = (stdout: string) =>
    (JSON.parse(stdout) as SmokeReport).checks.find((c) => c.check === 'layout');

  test('smoke says how much is free, and on which mount', async () => {
    const { code, stdout } = await onTmpfs('24m', 'true');
    expect(code).toBe(1);
    expect(layout(stdout), stdout).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^too-small: \d+ MiB are free .*is mounted rw \(tmpfs\)/),
    });
  });

  test('a full one of conversations alone is told from a small one, and every turn is lost on it', async () => {
    const { file, state } = here.config({ container: { engine: 'bubblewrap' } });
    mkdirSync(`${state}/conversations`, { recursive: true });
    const fill = 'head -c 1m /dev/zero > "$0/fill" 2>/dev/null';
    const script = `mount -t tmpfs -o size=64k none "$0"; ${fill}; exec "$@"`;
    const shell = ['unshare', '-m', 'sh', '-c', script, `${state}/conversations`];
    const { code, stdout } = await run([...shell, SCRIPT, '--config', file, '--json']);
    expect(code).toBe(1);
    expect(layout(stdout), stdout).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^disk-full: /),
    });
    const { checks } = JSON.parse(stdout) as SmokeReport;
    expect(
      checks.find((c) => c.check === 'resume'),
      stdout,
    ).toMatchObject({ state: 'failed' });
  });
});

describe('doctor', () => {
  test('1 and the findings, worst first, as JSON and in words', async () => {
    const { file } = here.config({ home: { repositories: ['ada/greeter', 'ada/gone'] } });
    const json = await run([process.execPath, CLI, '--config', file, 'doctor', '--json']);
    expect(json.code).toBe(1);
    const report = JSON.parse(json.stdout) as DoctorReport;
    expect(report.findings.map((f) => f.check)).toEqual(
      expect.arrayContaining(['repository-invisible', 'hook-not-seen', 'not-started-yet']),
    );
    expect(report.service).toBe('not running');
    const words = await run([process.execPath, CLI, '--config', file, 'doctor', '--no-deliveries']);
    expect(words.stdout).toMatch(/^BROKEN {2}\S+/);
    expect(words.stdout).toContain(`do:   Look there, and if neither has one: Add a webhook to `);
    for (const secret of Object.values(SECRETS)) expect(json.stdout + words.stdout).not.toContain(secret);
  });
});

const plain = needs('cli', 'git', 'flock', 'proc');
test.skipIf(!plain.ok)(
  plain.title('the way out is that of the running service, and never leads back to this machine by a proxy'),
  async () => {
    const proxy = await openProxy();
    const { port } = new URL(here.forge.url);
    const { file, state } = here.config({ home: { clone_url: `http://git.test:${port}` } });
    const env = { ...SECRETS, http_proxy: proxy.url, NODE_USE_ENV_PROXY: '1' };
    const doctor = async () => {
      const command = [process.execPath, CLI, 'doctor', '--json', '--no-deliveries', '--config', file];
      const report = JSON.parse((await run(command, env)).stdout) as DoctorReport;
      return report.findings.find(({ check }) => check === 'clone-failed')?.evidence;
    };
    expect(await doctor()).toBe(undefined);
    expect(proxy.asked.length).toBeGreaterThan(0);
    expect(proxy.asked.filter((one) => !one.includes('//git.test:'))).toEqual([]);
    // This process holds the folder, as the service does, and was started without a proxy.
    const lock = lockState(state);
    onTestFinished(() => lock.release());
    expect(await doctor()).toMatch(/Could(n't| not) resolve host: git\.test/);
  },
);
