/**
 * The forge's tools for a CLI that a person has at a terminal: there is no SDK on its standard streams. Its MCP server is a
 * second process of the CLI, which Bun lets run a script first (`container/doors.ts`): it joins its standard streams to a
 * socket, and the tools answer there, in this process. No image needs an interpreter, and no port is opened.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Bridge } from '../container/place.ts';
import { openSocketFolders } from '../container/sockets.ts';
import { makeServer, SERVER } from './forge-server.ts';
import type { AgentTool } from './run.ts';

const SCRIPT = `const { env } = Bun;
const socket = require('node:net').connect(env.CLAUDE_HOOKS_FORGE);
process.stdin.pipe(socket);
socket.pipe(process.stdout);
socket.on('error', (error) => {
  console.error('claude-hooks: the tools of the forge are out of reach: ' + error.message);
  process.exit(1);
});
socket.on('close', () => process.exit(0));
await new Promise(() => {});
`;

/** Longest message of a client; a tool's input is text that the model wrote. */
const LONGEST_MESSAGE = 8 * 1024 * 1024;

export interface OpenBridge extends Bridge {
  close(): Promise<void>;
}

/** `folder`: for the script and the socket; made if missing. */
export async function openForgeBridge(tools: readonly AgentTool[], folder: string): Promise<OpenBridge> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const script = join(folder, 'forge-bridge.js');
  await writeFile(script, SCRIPT);
  await chmod(script, 0o644);
  const folders = await openSocketFolders(folder);
  const socket = await folders.open();
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.on('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    void serve(client, tools).catch(() => client.destroy());
  });
  await listen(server, socket);
  await chmod(socket, 0o666);
  return {
    script,
    socket,
    close: async () => {
      for (const client of open) client.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await folders.remove(socket);
    },
  };
}

async function serve(client: Socket, tools: readonly AgentTool[]): Promise<void> {
  const { instance } = await makeServer(tools);
  await instance.connect(new LinesTransport(client));
}

type Transport = Parameters<Awaited<ReturnType<typeof makeServer>>['instance']['connect']>[0];
type Message = Parameters<NonNullable<Transport['onmessage']>>[0];

/** MCP on a stream: one JSON object a line. */
class LinesTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  readonly #client: Socket;
  #text = '';

  constructor(client: Socket) {
    this.#client = client;
  }

  async start(): Promise<void> {
    this.#client.setEncoding('utf8');
    this.#client.on('data', (text: string) => this.#take(text));
    this.#client.on('close', () => this.onclose?.());
  }

  #take(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop()!;
    if (this.#text.length > LONGEST_MESSAGE) this.#client.destroy();
    for (const line of lines.filter((one) => one.trim() !== '')) {
      try {
        this.onmessage?.(JSON.parse(line) as Message);
      } catch (error) {
        this.onerror?.(error as Error);
      }
    }
  }

  async send(message: Message): Promise<void> {
    this.#client.write(`${JSON.stringify(message)}\n`);
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }
}

/** The CLI's MCP configuration that leads to it. `cli` and `bridge` as the CLI sees them. */
export function bridgeConfig(cli: string, bridge: Bridge) {
  return {
    mcpServers: {
      [SERVER]: {
        type: 'stdio',
        command: cli,
        args: ['--version'],
        env: { BUN_OPTIONS: `--preload=${bridge.script}`, CLAUDE_HOOKS_FORGE: bridge.socket },
        alwaysLoad: true,
      },
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}
