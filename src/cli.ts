#!/usr/bin/env -S node --max-semi-space-size=2
/**
 * The command line: words for people. Every command that answers has --json.
 *
 * The flag above keeps the young part of V8's heap small: while the modules load it grows to 3 × 16 MB, and a service at
 * rest never gives them back (34 MB of its 149).
 */
// Nothing is imported above this: an older Node would end with a stack trace about a module that it does not have.
const NEEDED = 24;

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  process.stderr.write(
    `claude-hooks needs Node ${NEEDED} or newer, and this is ${process.versions.node}. Install it from your system or with \`npm install node@${NEEDED}\`, whose program is node_modules/.bin/node.\n`,
  );
  process.exitCode = 1;
} else {
  const { start } = await import('./cli/program.ts');
  await start();
}
