/**
 * Commands that look after the installation: smoke, doctor. What they run is loaded when they are called, because `serve`
 * shares this command line and would keep it in memory.
 */
import type { Command } from 'commander';
import { renderSmoke, reportOf, type SmokeCheck, type SmokeReport } from '../checks/smoke-report.ts';
import { ConfigError, MissingProgram } from '../errors.ts';
import { silentLog } from '../log.ts';
import { requireGit } from '../workdir/installed.ts';
import { callerOf } from './caller.ts';
import { withExamples } from './examples.ts';
import { loadAsServe } from './serve-environment.ts';
import { answer, configFile } from './shared.ts';
import { onStopRequest, stopSignal, wasCut } from './stopping.ts';

export function registerHealth(program: Command): void {
  const smokeChecks = program
    .command('smoke')
    .description(
      'are the credentials accepted, and does every agent’s container keep a conversation? costs nothing',
    )
    .option('--live', 'one real call to the model per agent as well')
    .option('--json', 'print JSON')
    .action(smoke);
  withExamples(smokeChecks, [
    { call: 'smoke --json', does: 'for cron: exit code 1 when something is not well' },
    { call: 'smoke --live', does: 'with one real call to the model for each agent' },
  ]);
  const doctorChecks = program
    .command('doctor')
    .description('what is wrong with this installation: evidence and remedy, worst first')
    .option('--no-deliveries', 'do not ask the forges for test deliveries')
    .option('--json', 'print JSON')
    .action(doctor);
  withExamples(doctorChecks, [
    { call: 'doctor', does: 'all of it, with one test delivery from each hook that may be asked for one' },
    { call: 'doctor --no-deliveries', does: 'reads only' },
  ]);
}

async function smoke(options: { live?: boolean }, command: Command): Promise<void> {
  const report = await smokeReport(command, options.live ?? false);
  if (wasCut()) return;
  answer(command, report, renderSmoke);
  if (!report.ok) callerOf(command).exitCode = 1;
}

async function smokeReport(command: Command, live: boolean): Promise<SmokeReport> {
  const { env } = callerOf(command);
  try {
    const config = loadAsServe(configFile(command), env);
    await requireGit(env.PATH);
    const [{ runSmoke }, { smokeDeps }] = await Promise.all([
      import('../checks/smoke.ts'),
      import('../wiring/health.ts'),
    ]);
    return await runSmoke(config, smokeDeps(config, { env, log: silentLog, live, signal: stopSignal() }));
  } catch (error) {
    if (error instanceof MissingProgram) return reportOf([missingGit(error)], null);
    if (!(error instanceof ConfigError)) throw error;
    // A secret that is not set makes the configuration invalid; cron still gets a report in the usual form.
    const checks = error.problems.map((p) => ({
      agent: null,
      check: 'configuration' as const,
      state: 'missing' as const,
      detail: `${p.path === '' ? p.file : p.path}: ${p.problem}`,
      remedy: p.remedy,
    }));
    return reportOf(checks, null);
  }
}

function missingGit({ problem, remedy }: MissingProgram): SmokeCheck {
  return { agent: null, check: 'git', state: 'missing', detail: problem, remedy };
}

async function doctor(options: { deliveries: boolean }, command: Command): Promise<void> {
  const { env } = callerOf(command);
  const config = loadAsServe(configFile(command), env);
  await requireGit(env.PATH);
  // `process.exit` runs the exit handlers, which remove trial clones and end their git commands. The signal would not.
  onStopRequest(({ exitCode }) => process.exit(exitCode));
  const [{ runDoctor }, { renderReport }, { doctorContext }] = await Promise.all([
    import('../checks/doctor.ts'),
    import('../checks/check.ts'),
    import('../wiring/health.ts'),
  ]);
  const context = doctorContext(config, { env, testDeliveries: options.deliveries });
  const report = await runDoctor(context);
  answer(command, report, renderReport);
  if (!report.ok) callerOf(command).exitCode = 1;
}
