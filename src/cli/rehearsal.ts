/** The rehearsal's two servers as commands, to try a configuration by hand. Loaded when they are called, as in health.ts. */
import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { NotFound } from '../errors.ts';
import { requireGit } from '../workdir/installed.ts';
import { callerOf } from './caller.ts';
import { withExamples } from './examples.ts';
import { readPort, readWords } from './option-values.ts';

export function registerRehearsal(program: Command): void {
  const rehearsal = program
    .command('rehearsal')
    .description('a scripted model and a pocket forge, to try things out');
  const model = rehearsal
    .command('model')
    .description('serve a scripted model that speaks the Messages API')
    .option('--script <file>', 'YAML script (default: the demo’s)', readWords)
    .option('--port <number>', 'TCP port; 0 takes any free one', readPort, 8788)
    .option('--socket <path>', 'unix socket beside it', readWords)
    .action(serveModel);
  withExamples(model, [
    {
      call: 'rehearsal model --script answers.yaml',
      does: 'see docs/rehearsal-model.md for what a script may say',
    },
  ]);
  const forge = rehearsal
    .command('forge')
    .description('serve a pocket forge with one small repository')
    .option('--folder <path>', 'where it keeps everything', readWords, './pocket-forge')
    .option('--port <number>', 'TCP port; 0 takes any free one', readPort, 3000)
    .option('--owner <login>', 'owner of the repository', readWords, 'ada')
    .option('--owner-token <token>', 'token of the owner', readWords, 'owner-token')
    .option('--dev <login>', 'account of the dev agent', readWords, 'dev-bot')
    .option('--dev-token <token>', 'token of the dev agent', readWords, 'dev-token')
    .action(serveForge);
  withExamples(forge, [
    { call: 'rehearsal forge --folder .state/forge', does: 'as "Try it by hand" in the README' },
  ]);
}

interface ModelOptions {
  script?: string;
  port: number;
  socket?: string;
}

async function serveModel({ script, port, socket }: ModelOptions, command: Command): Promise<void> {
  const [{ MODEL_SCRIPT }, { startRehearsalModel }, { parseModelScript }] = await Promise.all([
    import('../demo/script.ts'),
    import('../../rehearsal/model.ts'),
    import('../../rehearsal/model-script.ts'),
  ]);
  const text = script === undefined ? MODEL_SCRIPT : readScript(script);
  const model = await startRehearsalModel({
    script: parseModelScript(text, script ?? 'the demo’s script'),
    port,
    ...(socket === undefined ? {} : { socketPath: socket }),
  });
  callerOf(command).write(`rehearsal model: ${model.url} (records at ${model.url}/_rehearsal/requests)\n`);
  await untilStopped(() => model.close());
}

function readScript(file: string): string {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return readFileSync(file, 'utf8');
  throw new NotFound(`${file} is no file. Give --script the path of a YAML script.`);
}

interface ForgeOptions {
  folder: string;
  port: number;
  owner: string;
  ownerToken: string;
  dev: string;
  devToken: string;
}

async function serveForge(options: ForgeOptions, command: Command): Promise<void> {
  await requireGit(callerOf(command).env.PATH);
  const [{ REPOSITORY_FILES }, { startPocketForge }] = await Promise.all([
    import('../demo/script.ts'),
    import('../../rehearsal/pocket-forge.ts'),
  ]);
  const forge = await startPocketForge({
    folder: options.folder,
    port: options.port,
    users: [
      { login: options.owner, token: options.ownerToken, admin: true },
      { login: options.dev, token: options.devToken },
    ],
  });
  const known = forge.state.repositories.some((r) => r.name === 'greeter');
  if (!known) {
    await forge.createRepository({
      owner: options.owner,
      name: 'greeter',
      files: REPOSITORY_FILES,
      collaborators: [{ login: options.dev, permission: 'write' }],
    });
  }
  callerOf(command).write(`pocket forge: ${forge.url} (repository ${options.owner}/greeter)\n`);
  await untilStopped(() => forge.close());
}

async function untilStopped(close: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  await close();
}
