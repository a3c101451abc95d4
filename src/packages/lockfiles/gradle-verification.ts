import { Parser } from 'htmlparser2';
import type { Locked } from '../locked.ts';
import { digestOfHex } from './digest.ts';
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
  const parser = new Parser(
    {
      onopentag: (tag, attributes) => {
        rooted ||= tag === 'verification-metadata';
        if (tag === 'component') {
          component = componentOf(attributes);
          if (component !== null) found.push(component);
        }
        if (tag !== 'also-trust') kind = tag;
        const digest = digestOfHex(kind, attributes.value ?? '');
        if (digest !== null) component?.digests.push(digest);
      },
      onclosetag: (tag) => {
        if (tag === 'component') component = null;
      },
    },
    { xmlMode: true },
  );
  parser.end(lock.text);
  if (!rooted) throw lock.fail('it has no <verification-metadata>');
  return found.map((one) => ({ ecosystem: 'maven', ...one }));
}

function componentOf({ group, name, version }: Record<string, string>): Component | null {
  return group && name && version ? { name: `${group}:${name}`, version, digests: [] } : null;
}
