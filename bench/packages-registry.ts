/** A registry in a process of its own: many small packages for `npm ci`, and one large file. Prints its address. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { startNpmRegistry } from '../test/support/npm-registry.ts';

const [project = '', count = '300', megabytes = '500'] = process.argv.slice(2);
const packages = Array.from({ length: Number(count) }, (_, n) => ({
  name: `bench-${n}`,
  version: '1.0.0',
  files: {
    'index.js': `module.exports = ${n};\n// ${createHash('sha512').update(String(n)).digest('hex').repeat(200)}\n`,
  },
}));
const registry = await startNpmRegistry(packages);
const chunk = Buffer.alloc(1024 * 1024, 'x');
registry.instead = (request, response) => {
  if (request.url?.startsWith('/large/-/large-') !== true) return false;
  response.writeHead(200, { 'content-length': chunk.length * Number(megabytes) });
  let left = Number(megabytes);
  const more = () => {
    while (left > 0) {
      left -= 1;
      if (!response.write(chunk)) return void response.once('drain', more);
    }
    response.end();
  };
  more();
  return true;
};
writeFileSync(`${project}/package-lock.json`, registry.lockFile());
writeFileSync(
  `${project}/package.json`,
  JSON.stringify({
    name: 'project',
    version: '1.0.0',
    dependencies: Object.fromEntries(packages.map(({ name }) => [name, '1.0.0'])),
  }),
);
console.log(registry.url);
