/** An MCP server for tests, made with the official SDK: it behaves well or badly, as its tool is asked to. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const NUMBERS = {
  type: 'object',
  properties: { list: { $ref: '#/$defs/list' } },
  required: ['list'],
  $defs: { list: { type: 'array', items: { type: 'number' } } },
};

export interface SampleOptions {
  /** base64 of what `picture` answers */
  picture?: string;
  secret?: string;
  die?: () => void;
  hasFewTools?: boolean;
}

export function sampleServer(o: SampleOptions): Server {
  const server = new Server(
    { name: 'sample', version: '1.0.0' },
    { capabilities: { tools: {} }, instructions: `Ask sum for sums. ${o.secret ?? ''}` },
  );
  const any = { type: 'object', properties: {} };
  const tools = [
    { name: 'sum', description: 'Adds numbers.', inputSchema: NUMBERS, annotations: { readOnlyHint: true } },
    ...[
      'picture',
      'hostile',
      'tell',
      'die',
      'hang',
      'long',
      'endless',
      'fail',
      'refuse',
      'pid',
      'words',
      'data',
    ].map((name) => ({
      name,
      description: `It can ${name}.`,
      inputSchema: any,
    })),
    {
      name: 'far',
      description: 'Its schema is elsewhere.',
      inputSchema: { type: 'object', properties: { a: { $ref: 'http://x.test/s.json' } } },
    },
  ];
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) =>
    // The list comes in two pages, the last tool first.
    params?.cursor === undefined
      ? { tools: tools.slice(2).toReversed() as never, nextCursor: 'rest' }
      : { tools: (o.hasFewTools ? tools.slice(0, 1) : tools.slice(0, 2)) as never },
  );
  server.setRequestHandler(
    CallToolRequestSchema,
    async ({ params }) => await answer(params.name, params.arguments, o),
  );
  return server;
}

async function answer(name: string, input: Record<string, unknown> | undefined, o: SampleOptions) {
  const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] });
  const image = (data: string, mimeType = 'image/png') => ({ type: 'image' as const, data, mimeType });
  switch (name) {
    case 'sum':
      return text(String(((input?.list ?? []) as number[]).reduce((a, b) => a + b, 0)));
    case 'picture':
      return { content: [...text('A picture.').content, image(o.picture ?? '')] };
    case 'hostile': {
      const svg = Buffer.from('<svg><script>alert(1)</script></svg>').toString('base64');
      const broken = Buffer.from('\x89PNG\r\n\x1a\nbroken', 'latin1').toString('base64');
      return { content: [image(svg, 'image/svg+xml'), image(broken), image(o.picture ?? '')] };
    }
    case 'tell':
      return text(`The secret is ${o.secret}, really.`);
    case 'die':
      o.die?.();
      return await new Promise<never>(() => {});
    case 'hang':
      return await new Promise<never>(() => {});
    case 'long':
      return text('x'.repeat(100_000));
    case 'endless':
      return text('x'.repeat(17_000_000));
    case 'fail':
      return { ...text('The board is locked.'), isError: true };
    case 'words':
      return { ...text('Three boards.'), structuredContent: { found: 3 } };
    case 'data':
      return { content: [image(o.picture ?? '')], structuredContent: { found: 3 } };
    case 'pid':
      return text(String(process.pid));
    default:
      throw new Error('nobody does that');
  }
}
