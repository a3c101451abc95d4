/** The import law in dependency-cruiser's words. Paths are relative to the checked folder. */
import type { IRegularForbiddenRuleType } from 'dependency-cruiser';
import { BESIDE, importsOf, PACKAGES, ROOMS, WORDS } from './law.ts';

/** Paths that are shipped: src and the folders beside it. */
const PRODUCT = `^(${['src', ...Object.keys(BESIDE)].join('|')})/`;

export function importRules(): IRegularForbiddenRuleType[] {
  return [...generalRules(), ...wordRules(), ...roomRules(), ...besideRules(), ...packageRules()];
}

function generalRules(): IRegularForbiddenRuleType[] {
  return [
    forbid(
      'no-cycle',
      'a cycle cannot be read, tested or replaced in parts; move what both need into a third file',
      {
        from: {},
        to: { circular: true },
      },
    ),
    forbid('resolvable', 'the import leads nowhere; correct the path', {
      from: {},
      // A package's own export map is the type checker's subject.
      to: { couldNotResolve: true, path: String.raw`^\.` },
    }),
    forbid('product-without-tests', 'product files import no test, no test support, no script and no bench', {
      from: { path: PRODUCT },
      to: { path: ['^test/', '^scripts/', '^bench/', String.raw`\.test\.ts$`] },
    }),
  ];
}

function wordRules(): IRegularForbiddenRuleType[] {
  return Object.entries(WORDS).map(([word, others]) =>
    forbid(`${word}-imports`, `${word} is a word: it imports ${list(others)} of src`, {
      from: { path: inRoom(word) },
      to: { path: '^src/', pathNot: [word, ...others].map(inRoom) },
    }),
  );
}

function roomRules(): IRegularForbiddenRuleType[] {
  return Object.keys(ROOMS).map((room) =>
    forbid(
      `${room}-imports`,
      `${room} imports the words and ${list(importsOf(room))}; hand the value in, or change the law in scripts/law.ts on purpose`,
      {
        from: { path: inRoom(room) },
        to: { path: '^src/', pathNot: [room, ...Object.keys(WORDS), ...importsOf(room)].map(inRoom) },
      },
    ),
  );
}

function besideRules(): IRegularForbiddenRuleType[] {
  return Object.entries(BESIDE).flatMap(([folder, { imports, reachedBy }]) => [
    forbid(
      `${folder}-imports`,
      `of src, ${folder} imports only ${list(imports)}: what it stands in for must not depend on the product's own idea of it`,
      { from: { path: inRoom(folder) }, to: { path: '^src/', pathNot: imports.map(inRoom) } },
    ),
    forbid(`${folder}-reached`, `only ${list(reachedBy)} may import ${folder}; the service runs without it`, {
      from: { path: '^src/', pathNot: reachedBy.map(inRoom) },
      to: { path: inRoom(folder) },
    }),
  ]);
}

function packageRules(): IRegularForbiddenRuleType[] {
  return Object.entries(PACKAGES).map(([name, { only, because }]) =>
    forbid(`only-here:${name}`, `only ${only.join(', ')} may import ${name}: ${because}`, {
      from: {
        path: PRODUCT,
        pathNot: only.map((place) => (place.endsWith('.ts') ? exactly(place) : inRoom(place))),
      },
      // Without an installed package the specifier itself is the path.
      to: { path: `^(node_modules/|node:)?${quote(name)}(/|$)` },
    }),
  );
}

function forbid(
  name: string,
  comment: string,
  rule: Pick<IRegularForbiddenRuleType, 'from' | 'to'>,
): IRegularForbiddenRuleType {
  return { name, comment, severity: 'error', ...rule };
}

function inRoom(room: string): string {
  if (room in BESIDE) return `^${quote(room)}/`;
  return `^src/${quote(room)}(\\.ts$|/)`;
}

function exactly(path: string): string {
  return `^src/${quote(path)}$`;
}

function quote(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'nothing else' : names.join(', ');
}
