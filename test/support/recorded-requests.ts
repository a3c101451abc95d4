/** A gateway that writes down what the CLI says at its sockets, before the gateway has seen it; nothing is changed. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { join } from 'node:path';
import type { Gateway, GatewayReport } from '../../src/gateway/port.ts';
import { bodyOf } from './upstream.ts';

export interface RecordedAtSocket {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** what the gateway answered */
  status: number;
}

export interface Recorder {
  requests: RecordedAtSocket[];
  reports: GatewayReport[];
  over(gateway: Gateway): Gateway;
}

export function recorder(): Recorder {
  const made: Recorder = {
    requests: [],
    reports: [],
    over: (gateway) => ({
      ...gateway,
      open: async (run) => {
        const inner = await gateway.open(run);
        const socketPath = join(inner.socketPath, '..', 'r.sock');
        const server = createServer((incoming, response) => void passOn(incoming, response));
        const passOn = async (incoming: IncomingMessage, response: ServerResponse) => {
          response.on('error', () => {});
          const { method = '', url = '', headers } = incoming;
          const body = await bodyOf(incoming);
          const one = { method, url, headers, body, status: 0 };
          made.requests.push(one);
          const sent = request({ socketPath: inner.socketPath, method, path: url, headers });
          response.once('close', () => sent.destroy());
          sent.on('error', () => response.destroy());
          sent.once('response', (answer) => {
            one.status = answer.statusCode!;
            response.writeHead(answer.statusCode!, answer.headers);
            answer.pipe(response);
          });
          sent.end(body);
        };
        server.listen(socketPath);
        await once(server, 'listening');
        return {
          ...inner,
          socketPath,
          close: async () => {
            server.closeAllConnections();
            server.close();
            const report = await inner.close();
            made.reports.push(report);
            return report;
          },
        };
      },
    }),
  };
  return made;
}
