/**
 * The trial of overlays, for a process of another user: `node overlay-process.ts <folder>`. Prints `null`, or why none can be
 * mounted, as JSON.
 */
import { bubblewrapEngine } from '../../src/container/bubblewrap.ts';
import { findProgram, overlayTools } from '../../src/container/choose.ts';
import { tryOverlay } from '../../src/container/overlay-trial.ts';

const [, , folder = ''] = process.argv;
const path = process.env.PATH!;
const engine = bubblewrapEngine({
  program: findProgram('bwrap', path)!,
  flock: null,
  cgroups: { unheld: [], make: () => null, sweep: () => {} },
  overlay: overlayTools(path),
});
console.log(JSON.stringify(await tryOverlay({ engine, folder, image: null, user: null })));
