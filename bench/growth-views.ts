/** What the answering commands take on many conversations: the list, a page deep in it, and one conversation. */
import { migrate, openDatabase } from '../src/database/database.ts';
import { conversationPage, listConversations } from '../src/views/conversation-list.ts';
import { describeConversation } from '../src/views/conversations.ts';
import { addManyConversations, FIRST_CHANGED, idOf } from '../test/support/many-conversations.ts';
import { countStatements } from '../test/support/statements.ts';
import type { Bench } from './bench.ts';
import { figure, type Table } from './report.ts';
import { medianOf, timed } from './summary.ts';

const FEW = 1000;
const SHOWN = 100;

interface Cost {
  ms: number;
  statements: number;
}

export async function measureViews(bench: Bench): Promise<Table[]> {
  const many = bench.quick ? 10_000 : 100_000;
  const repeats = bench.quick ? 5 : 40;
  const few = await measureSize(bench, FEW, repeats);
  const all = await measureSize(bench, many, repeats);
  return [
    {
      caption: `Views, SQLite: milliseconds (statements), median of ${repeats}`,
      head: ['view', figure(FEW, 0), figure(many, 0), 'ratio'],
      rows: Object.entries(few).map(([view, cost]) => [
        view,
        cell(cost),
        cell(all[view]!),
        figure(all[view]!.ms / cost.ms, 1),
      ]),
    },
  ];
}

function cell({ ms, statements }: Cost): string {
  return `${figure(ms, 2)} (${statements})`;
}

async function measureSize(bench: Bench, size: number, repeats: number): Promise<Record<string, Cost>> {
  const url = `sqlite:${bench.folder}/views-${size}.db`;
  const database = openDatabase({ url });
  try {
    await migrate(database);
    addManyConversations(url, size);
    const { rows, statements } = countStatements(database.rows);
    const now = FIRST_CHANGED;
    const middle = size / 2;
    const after = { updatedAt: FIRST_CHANGED - Math.floor(middle / 3), id: idOf(middle) };
    const views = {
      [`the first ${SHOWN} and how many there are`]: () => listConversations(rows, { limit: SHOWN, now }),
      [`a page of ${SHOWN} from the middle`]: () => conversationPage(rows, { limit: SHOWN, after, now }),
      'one conversation whole': () => describeConversation(rows, idOf(middle), now),
    };
    const costs: Record<string, Cost> = {};
    for (const [view, read] of Object.entries(views)) {
      const times: number[] = [];
      for (let n = 0; n < repeats; n++) times.push((await timed<unknown>(read)).ms);
      costs[view] = { ms: medianOf(times), statements: statements() / repeats };
    }
    return costs;
  } finally {
    await database.close();
  }
}
