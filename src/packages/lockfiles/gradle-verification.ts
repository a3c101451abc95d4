import type { Locked } from '../locked.ts';
import { type Markup, readMarkup } from '../markup.ts';
import { digestOfHex } from './digest.ts';
import { firstLine } from './first-line.ts';
import type { LockText } from './unreadable.ts';

interface Component {
  name: string;
  version: string;
  digests: string[];
}

/** Gradle's verification-metadata.xml: the checksums of what it takes from Maven repositories. */
export function readGradleVerification(lock: LockText): Locked[] {
  const found: Component[] = [];
  let rooted = false;
  // Of a checksum; `<also-trust>` within one means the same kind.
  let kind = '';
  let component: Component | null = null;
  const open: Markup['open'] = (tag, attributes) => {
    rooted ||= tag === 'verification-metadata';
    if (tag === 'component') {
      component = componentOf(attributes);
      if (component !== null) found.push(component);
    }
    if (tag !== 'also-trust') kind = tag;
    const digest = digestOfHex(kind, attributes.value ?? '');
    if (digest !== null) component?.digests.push(digest);
  };
  const close = (tag: string) => {
    if (tag === 'component') component = null;
  };
  try {
    readMarkup(lock.text, { xml: true, tags: { open, close } });
  } catch (error) {
    throw lock.fail(`it cannot be read: ${firstLine(error)}`);
  }
  if (!rooted) throw lock.fail('it has no <verification-metadata>');
  return found.map((one) => ({ ecosystem: 'maven', ...one }));
}

function componentOf({ group, name, version }: Readonly<Record<string, string>>): Component | null {
  return group && name && version ? { name: `${group}:${name}`, version, digests: [] } : null;
}
