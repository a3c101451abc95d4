import { parse } from 'smol-toml';
import { firstLine } from './first-line.ts';
import type { Fields } from './shape.ts';
import type { LockText } from './unreadable.ts';

/** No lock file goes deeper than this; the parser calls itself once for each level. */
const MAX_DEPTH = 50;

export function readToml(lock: LockText): Fields {
  try {
    return parse(lock.text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    throw lock.fail(`it is not valid TOML: ${firstLine(error)}`);
  }
}
