/** The rehearsal's two servers as commands, to try a configuration by hand. Loaded when they are called, as in health.ts. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { requireGit } from '../workdir/installed.ts';

export function registerRehearsal(program: Command): void {
  const rehearsal = program
    .command('rehearsal')
    .description('a scripted model and a pocket forge, to try things out');
  rehearsal
    .command('model')
    .description('serve a scripted model that speaks the Messages API')
    .option('--script <file>', 'YAML script (default: the demo’s)')
    .option('--port <number>', 'TCP port', '8788')
    .option('--socket <path>', 'unix socket beside it')
    .action(async (options: { script?: string; port: string; socket?: string }) => {
      const [{ MODEL_SCRIPT }, { startRehearsalModel }, { parseModelScript }] = await Promise.all([
        import('../demo/script.ts'),
        import('../rehearsal/model.ts'),
        import('../rehearsal/model-script.ts'),
      ]);
      const text = options.script === undefined ? MODEL_SCRIPT : readFileSync(options.script, 'utf8');
      const model = await startRehearsalModel({
        script: parseModelScript(text, options.script ?? 'the demo’s script'),
        port: Number(options.port),
        ...(options.socket === undefined ? {} : { socketPath: options.socket }),
      });
      process.stdout.write(`rehearsal model: ${model.url} (records at ${model.url}/_rehearsal/requests)\n`);
      await untilStopped(() => model.close());
    });
  rehearsal
    .command('forge')
    .description('serve a pocket forge with one small repository')
    .option('--folder <path>', 'where it keeps everything', './pocket-forge')
    .option('--port <number>', 'TCP port', '3000')
    .option('--owner <login>', 'owner of the repository', 'ada')
    .option('--owner-token <token>', 'token of the owner', 'owner-token')
    .option('--dev <login>', 'account of the dev agent', 'dev-bot')
    .option('--dev-token <token>', 'token of the dev agent', 'dev-token')
    .action(serveForge);
}

interface ForgeOptions {
  folder: string;
  port: string;
  owner: string;
  ownerToken: string;
  dev: string;
  devToken: string;
}

async function serveForge(options: ForgeOptions): Promise<void> {
  await requireGit(process.env.PATH);
  const [{ REPOSITORY_FILES }, { startPocketForge }] = await Promise.all([
    import('../demo/script.ts'),
    import('../rehearsal/pocket-forge.ts'),
  ]);
  const forge = await startPocketForge({
    folder: options.folder,
    port: Number(options.port),
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
  process.stdout.write(`pocket forge: ${forge.url} (repository ${options.owner}/greeter)\n`);
  await untilStopped(() => forge.close());
}

async function untilStopped(close: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  await close();
}
