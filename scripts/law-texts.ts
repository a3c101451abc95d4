/** The part of the law that no import graph shows: names, sizes, and who reads the environment. */
import { BESIDE, ENVIRONMENT_READERS, LONGEST_FILE, ROOMS, WORDS } from './law.ts';

export interface SourceFile {
  /** relative to the checked folder, `src/…` or that of a folder beside it */
  path: string;
  text: string;
}

export interface Violation {
  rule: string;
  where: string;
  sentence: string;
}

const DUMP = /(^|\/)(utils?|helpers?|common|misc)(\.ts$|\/)/;

export function textViolations(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => [
    ...nameViolations(file),
    ...sizeViolations(file),
    ...environmentReads(file),
  ]);
}

function nameViolations({ path }: SourceFile): Violation[] {
  const found: Violation[] = [];
  if (/(^|\/)index\.ts$/.test(path)) {
    found.push({
      rule: 'no-barrel',
      where: path,
      sentence:
        'a barrel ties files together that have nothing to do with each other; import the file itself',
    });
  }
  if (DUMP.test(path)) {
    found.push({
      rule: 'no-dump',
      where: path,
      sentence: 'a helper lives in the room that needs it, in a file named for its subject',
    });
  }
  const room = roomOf(path);
  // A test of several rooms may stand at the top under a name of its own.
  if (!isTest(path) && !(room in WORDS) && !(room in ROOMS) && !(room in BESIDE)) {
    found.push({
      rule: 'known-room',
      where: path,
      sentence:
        'every file of src belongs to a room; name the new room and what it imports in scripts/law.ts',
    });
  }
  return found;
}

function sizeViolations({ path, text }: SourceFile): Violation[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (isTest(path) || lines <= LONGEST_FILE) return [];
  const sentence = `${lines} lines, and ${LONGEST_FILE} is the most; split it by subject`;
  return [{ rule: 'file-size', where: path, sentence }];
}

function environmentReads({ path, text }: SourceFile): Violation[] {
  if (isTest(path) || ENVIRONMENT_READERS.includes(roomOf(path))) return [];
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '');
  const reads = /\bprocess\s*\.\s*env\b|\bprocess\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(code);
  if (!reads && !/import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*'(node:)?process'/.test(code)) return [];
  const sentence = `only ${ENVIRONMENT_READERS.join(' and ')} may read the environment; take the value as an argument`;
  return [{ rule: 'environment', where: path, sentence }];
}

function roomOf(path: string): string {
  const [first = ''] = path.split('/');
  return first in BESIDE ? first : (/^src\/([^/]+?)(?:\.ts|\/.*)$/.exec(path)?.[1] ?? '');
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}
