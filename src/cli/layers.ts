/** `layers`: what set-up commands made. A running service acts on the rows; nothing here touches the disk. */
import type { Command } from 'commander';
import { listLayers, requireLayer } from '../views/layers.ts';
import { withExamples } from './examples.ts';
import { readLimit } from './option-values.ts';
import { renderLayers } from './print/layers.ts';
import { answer, reading, writing } from './shared.ts';

const LIMIT = 50;

export function registerLayers(program: Command): void {
  const layers = program.command('layers').description('what set-up commands made for the runs of agents');
  const list = layers
    .command('list')
    .description('all layers, newest first, with why one failed and the end of its log')
    .option('--limit <number>', 'most layers to list', readLimit, LIMIT)
    .option('--json', 'print JSON')
    .action(listAll);
  withExamples(list, [
    { call: 'layers list', does: 'every layer, for which repository, and when it was last used' },
  ]);
  const remove = layers
    .command('remove')
    .description('remove a layer once no run uses it; the next run that needs it builds it anew')
    .argument('<layer>', 'its key, or the first 6 characters or more')
    .option('--json', 'print JSON')
    .action(removeOne);
  withExamples(remove, [{ call: 'layers remove 0f3b6c1e', does: 'have one built anew' }]);
  const retry = layers
    .command('retry')
    .description('let a set-up that failed be tried again by the next run, without waiting')
    .argument('<layer>', 'its key, or the first 6 characters or more')
    .option('--json', 'print JSON')
    .action(retryOne);
  withExamples(retry, [{ call: 'layers retry 0f3b6c1e', does: 'after what made it fail was corrected' }]);
}

async function listAll({ limit }: { limit: number }, command: Command): Promise<void> {
  const found = await reading(command, ({ database: { rows } }) => listLayers(rows, { limit }));
  answer(command, found, renderLayers);
}

async function removeOne(text: string, _options: unknown, command: Command): Promise<void> {
  const layer = await writing(command, async ({ database: { rows } }) => {
    const { key } = await requireLayer(rows, text);
    // A build that is under way is not taken from its dispatch.
    await rows
      .updateTable('layers')
      .set({ state: 'unwanted' })
      .where('key', '=', key)
      .where('state', '!=', 'building')
      .execute();
    return key;
  });
  answer(
    command,
    { layer },
    () => `Layer ${layer} is to be removed; a running service does it within a minute, once no run uses it.`,
  );
}

async function retryOne(text: string, _options: unknown, command: Command): Promise<void> {
  const layer = await writing(command, async ({ database: { rows } }) => {
    const { key } = await requireLayer(rows, text);
    await rows
      .updateTable('layers')
      .set({ retry_at: null })
      .where('key', '=', key)
      .where('state', '=', 'failed')
      .execute();
    return key;
  });
  answer(command, { layer }, () => `Layer ${layer} is tried again by the next run that needs it.`);
}
