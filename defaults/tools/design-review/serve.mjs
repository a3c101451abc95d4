/** A folder as a site on loopback; an address is taken as it is. */
import { createReadStream, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

export async function serveFolder(place) {
  if (/^https?:\/\//.test(place)) return { url: place, close: () => {} };
  const root = realpathSync(place);
  const server = createServer((request, response) => {
    const file = fileFor(root, new URL(request.url, 'http://x').pathname);
    if (file === null) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function fileFor(root, path) {
  for (const end of ['', 'index.html', '.html']) {
    try {
      const file = realpathSync(join(root, decodeURIComponent(path) + end));
      if ((file === root || file.startsWith(root + sep)) && statSync(file).isFile()) return file;
    } catch {
      // The next one.
    }
  }
  return null;
}
