/** Whether a service that starts now could listen: tried, and let go at once. */
import { createServer } from 'node:net';

/** What is wrong, as a sentence without an end, or null. */
export async function portProblem({ host, port }: { host: string; port: number }): Promise<string | null> {
  if (port === 0) return null;
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(`nobody can listen on ${host}:${port} (${error.code ?? error.message})`),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

export const PORT_REMEDY =
  'Choose another server.port, or end what uses it (`ss -ltnp` names it); ports below 1024 need a right of their own.';
