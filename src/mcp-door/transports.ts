/** The two ways to an MCP server, with a bound on what one answer may bring. */
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { McpServerSettings } from '../config/mcp-settings.ts';

/**
 * Bytes of one answer: some large pictures in Base64, and an end for a server that never stops. The transport of the SDK
 * copies what it has with each piece, so a line of 32 MB would take 8 GB of copies.
 */
const MOST_WIRE_BYTES = 16 * 1024 ** 2;
/** Characters of the end of a program's standard error. */
const KEPT_OF_STDERR = 1000;

export interface OpenTransport {
  transport: Transport;
  /** what the server wrote to its standard error last; '' = nothing, or it is reached by HTTP */
  lastWords: () => string;
  /** after an error: a program whose answer was too long is ended at once, or its calls would wait for its own end */
  endAfterError: () => void;
}

export function transportFor({ way }: McpServerSettings, fetchFrom: typeof fetch): OpenTransport {
  if (way.kind === 'http') {
    const transport = new StreamableHTTPClientTransport(new URL(way.url), {
      requestInit: { headers: way.headers },
      fetch: bounded(fetchFrom, () => void transport.close()),
      // guard: mcp: the secret goes to one address
      redirectPolicy: 'same-origin',
      reconnectionOptions: {
        maxRetries: 2,
        initialReconnectionDelay: 500,
        maxReconnectionDelay: 5000,
        reconnectionDelayGrowFactor: 2,
      },
    });
    // Its type has no `undefined` where the one of the interface may.
    return { transport: transport as Transport, lastWords: () => '', endAfterError: () => {} };
  }
  const [command = '', ...args] = way.command;
  const transport = new StdioClientTransport({
    command,
    args,
    env: { ...way.environment },
    stderr: 'pipe',
    // guard: mcp: the size of an answer
    maxBufferSize: MOST_WIRE_BYTES,
  });
  let said = '';
  transport.stderr?.on('data', (data: Buffer) => {
    said = (said + data.toString('utf8')).slice(-KEPT_OF_STDERR);
  });
  let started: number | null = null;
  const endAfterError = () => {
    started ??= transport.pid;
    // The transport forgets its program when it begins to close.
    if (transport.pid === null && started !== null) endProgram(started);
  };
  const start = transport.start.bind(transport);
  transport.start = async () => {
    await start();
    started = transport.pid;
  };
  return { transport, lastWords: () => said.trim(), endAfterError };
}

function endProgram(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Each answer of its own, the stream of news as well. */
function bounded(fetchFrom: typeof fetch, onTooMuch: () => void) {
  return async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const answer = await fetchFrom(url, init);
    if (answer.body === null) return answer;
    let bytes = 0;
    const counted = answer.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, to) {
          bytes += piece.byteLength;
          // guard: mcp: the size of an answer by HTTP
          if (bytes <= MOST_WIRE_BYTES) return to.enqueue(piece);
          // An error of the stream alone would leave its call waiting.
          onTooMuch();
          to.error(new Error(`the answer has more than ${MOST_WIRE_BYTES} bytes`));
        },
      }),
    );
    const { status, statusText, headers } = answer;
    const limited = new Response(counted, { status, statusText, headers });
    // The transport compares it to see a redirect to elsewhere.
    Object.defineProperty(limited, 'url', { value: answer.url });
    Object.defineProperty(limited, 'redirected', { value: answer.redirected });
    return limited;
  };
}
