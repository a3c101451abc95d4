import { type Fields, isFields } from './shape.ts';
import type { LockText } from './unreadable.ts';

export function readJson(lock: LockText): Fields {
  const value = parse(lock);
  if (!isFields(value)) throw lock.fail('it is JSON, but no object');
  return value;
}

function parse(lock: LockText): unknown {
  try {
    return JSON.parse(lock.text);
  } catch {
    throw lock.fail('it is not valid JSON');
  }
}
