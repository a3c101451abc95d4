import { parseDocument } from 'yaml';
import { firstLine } from './first-line.ts';
import { type Fields, isFields } from './shape.ts';
import type { LockText } from './unreadable.ts';

const MAX_YAML = 4 * 1024 * 1024;
const SPLIT = 'Split the workspace, or set the policy `registry` for this repository.';

/**
 * YAML as lock files use it: without anchors, which can make a small file a huge one. Keys are not looked at for
 * repetition, because that takes the square of their number.
 */
export function readYaml(lock: LockText): Fields {
  const value = parsed(lock);
  if (!isFields(value)) throw lock.fail('it is YAML, but no mapping');
  return value;
}

function parsed(lock: LockText): unknown {
  // The parser reads about one megabyte in a second.
  if (lock.text.length > MAX_YAML) throw lock.fail(`it has more than ${MAX_YAML} characters`, SPLIT);
  try {
    const document = parseDocument(lock.text, { uniqueKeys: false, schema: 'core', logLevel: 'silent' });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    // guard: packages: no aliases in a lock file
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw lock.fail(`it is not valid YAML, or has aliases: ${firstLine(error)}`);
  }
}
