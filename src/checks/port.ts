/** Whether a service that starts now could listen: tried, and let go at once. */
import { createServer } from 'node:net';
import type { Check } from './check.ts';

export type PortCheck = 'port-busy';

/** Nothing is said of a free port, nor of one that the running service itself holds. */
export async function checkPort(
  server: { host: string; port: number },
  { running }: { running: boolean },
): Promise<Check<PortCheck>[]> {
  const problem = running ? null : await portProblem(server);
  if (problem === null) return [];
  return [
    {
      check: 'port-busy',
      severity: 'broken',
      subject: 'server.port',
      problem: 'the service does not run, and could not start: its port is taken or is not ours to take',
      evidence: problem,
      remedy:
        'Choose another server.port, or end what uses it (`ss -ltnp` names it); ports below 1024 need a right of their own.',
    },
  ];
}

async function portProblem({ host, port }: { host: string; port: number }): Promise<string | null> {
  if (port === 0) return null;
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(`nobody can listen on ${host}:${port} (${error.code ?? error.message})`),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
