/** Everything that somebody needs who attaches: the parts of a worker, without its loop and without the state folder's lock. */
import { randomUUID } from 'node:crypto';
import { type Attached, attach } from '../attach.ts';
import { openExisting } from '../database/opening.ts';
import { terminalInstance } from '../dispatch/left-terminals.ts';
import { networkOf } from '../network.ts';
import { readReference, requireOneConversation } from '../views/references.ts';
import { dispatchDeps, instanceOf } from './dispatching.ts';
import { forgeAccess } from './forge-access.ts';
import { openConfig } from './open-config.ts';
import { keepFilesPrivate } from './private-files.ts';

export interface AttachOptions {
  file: string;
  env: Record<string, string | undefined>;
  reference: string;
  by: string;
  terminal: Record<string, string>;
  signal: AbortSignal;
  /** a line for whoever attaches, before the terminal is theirs */
  say: (line: string) => void;
}

/** What the log would have warned of, while nothing could be written to the terminal, is among the sentences. */
export async function attachHere(options: AttachOptions): Promise<Attached> {
  const { file, env, say, reference, by, terminal, signal } = options;
  const warnings: string[] = [];
  const opened = openConfig({ file, env, terminal: true, write: (line) => warnings.push(line.trimEnd()) });
  const { config, watcher } = opened;
  // Only what somebody has to know who was at the terminal.
  const log = { ...opened.log, debug: () => {}, info: () => {} };
  keepFilesPrivate(config());
  const { url } = config().database;
  const database = await openExisting({ url, readOnly: false });
  try {
    const conversation = await requireOneConversation(
      database.rows,
      readReference(reference, config().forges),
    );
    const refresh = () => watcher.refresh();
    const access = forgeAccess({ config, log, network: networkOf(config()), refresh });
    const instance = instanceOf(config().state);
    const given = { options: { file, env, write: () => {} }, config, log, database, access, refresh };
    const deps = await dispatchDeps({ ...given, attempted: () => {}, passed: () => {} }, instance);
    warnings.length = 0;
    try {
      const attached = await attach(
        {
          conversation,
          reference,
          by,
          worker: `attach:${process.pid}-${randomUUID()}`,
          leaseMs: config().worker.leaseSeconds * 1000,
          instanceOf: (dispatchId) => terminalInstance(instance, dispatchId),
          terminal,
          signal,
          say,
        },
        deps,
      );
      return { ...attached, sentences: [...attached.sentences, ...warnings] };
    } finally {
      await Promise.all([deps.runner.gateway.close(), deps.packages.close()]);
    }
  } finally {
    watcher.close();
    await database.close();
  }
}
