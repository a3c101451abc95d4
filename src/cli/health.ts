/**
 * Commands that look after the installation: smoke, doctor. What they run is loaded when they are called, because `serve`
 * shares this command line and would keep it in memory.
 */
import type { Command } from 'commander';
import { lineOf, reportOf, type SmokeLine, type SmokeReport } from '../checks/smoke-report.ts';
import { ConfigError, type ConfigProblem, MissingProgram } from '../errors.ts';
import { silentLog } from '../log.ts';
import { requireGit } from '../workdir/installed.ts';
import { callerOf } from './caller.ts';
import { withExamples } from './examples.ts';
import { renderDoctor, renderSmoke } from './print/checks.ts';
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
    return reportOf(error.problems.map(unreadable), null);
  }
}

const MISSING = { severity: 'broken', fault: 'missing', problem: '' } as const;

function unreadable({ path, file, problem, remedy }: ConfigProblem): SmokeLine {
  const subject = path === '' ? file : path;
  return lineOf({ ...MISSING, check: 'configuration', subject, evidence: `${subject}: ${problem}`, remedy });
}

function missingGit({ problem, remedy }: MissingProgram): SmokeLine {
  return lineOf({ ...MISSING, check: 'git', subject: 'git', evidence: problem, remedy });
}

async function doctor(options: { deliveries: boolean }, command: Command): Promise<void> {
  const { env } = callerOf(command);
  const config = loadAsServe(configFile(command), env);
  await requireGit(env.PATH);
  // `process.exit` runs the exit handlers, which remove trial clones and end their git commands. The signal would not.
  onStopRequest(({ exitCode }) => process.exit(exitCode));
  const [{ runDoctor }, { doctorContext }] = await Promise.all([
    import('../checks/doctor.ts'),
    import('../wiring/health.ts'),
  ]);
  const context = doctorContext(config, { env, testDeliveries: options.deliveries });
  const report = await runDoctor(context);
  answer(command, report, renderDoctor);
  if (!report.ok) callerOf(command).exitCode = 1;
}
