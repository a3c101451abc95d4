/**
 * Checks the law of src/, and of the folders beside it, below a folder: `node scripts/check-law.ts [folder]` (this repository when left out).
 * Prints every violation with its rule and the sentence that explains it; exit code 1 when there is one.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseResult, type IViolation } from 'dependency-cruiser';
import { BESIDE } from './law.ts';
import { importRules } from './law-rules.ts';
import { isTest, type SourceFile, textViolations, type Violation } from './law-texts.ts';

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
const files = sourceFiles(root);
const violations = [...(await importViolations(root, files)), ...textViolations(files)];
for (const { rule, where, sentence } of violations) console.error(`${rule}: ${where}\n  ${sentence}`);
if (violations.length > 0) {
  console.error(`\n${violations.length} violation(s) of the law. docs/law.md shows it whole.`);
  process.exitCode = 1;
} else console.log(`The law holds in ${files.length} files.`);

function sourceFiles(folder: string): SourceFile[] {
  const src = join(folder, 'src');
  if (!existsSync(src)) throw new Error(`There is no folder ${src}. Name the folder that holds src/.`);
  return productFolders(folder)
    .flatMap((name) => readdirSync(join(folder, name), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({ path: relative(folder, file), text: readFileSync(file, 'utf8') }));
}

function productFolders(folder: string): string[] {
  return ['src', ...Object.keys(BESIDE).filter((name) => existsSync(join(folder, name)))];
}

/** Tests may import anything and are left out; swc's visitor also stops at the `using` some of them have. */
async function importViolations(folder: string, sources: readonly SourceFile[]): Promise<Violation[]> {
  const rules = importRules();
  const product = sources.filter((file) => !isTest(file.path));
  const { output } = await cruise(
    productFolders(folder),
    {
      baseDir: folder,
      // TypeScript 7 has no API the default parser could use: with it, no module is found and every rule holds.
      parser: 'swc',
      tsPreCompilationDeps: true,
      validate: true,
      ruleSet: { forbidden: rules },
      doNotFollow: { path: ['node_modules', '^test/', '^scripts/', '^bench/', String.raw`\.test\.ts$`] },
      exclude: { path: String.raw`^(?!node_modules/).*\.test\.ts$` },
    },
    { extensions: ['.ts'] },
  );
  const result = output as ICruiseResult;
  return [...unseen(product, result), ...result.summary.violations.map(toViolation(rules))];
}

/** What the cruiser did not see, no rule can forbid. */
function unseen(product: readonly SourceFile[], result: ICruiseResult): Violation[] {
  const modules = new Map(result.modules.map((module) => [module.source, module]));
  const read = product.filter((file) => modules.has(file.path));
  if (read.length !== product.length || product.length === 0) {
    const sentence = `dependency-cruiser read ${read.length} of ${product.length} files; check its parser and @swc/core`;
    return [{ rule: 'all-read', where: 'src', sentence }];
  }
  return product.flatMap((file) => {
    const seen = new Set(modules.get(file.path)?.dependencies.map((dependency) => dependency.module));
    return relativeImports(file.text)
      .filter((specifier) => !seen.has(specifier))
      .map((specifier) => ({
        rule: 'visible-import',
        where: `${file.path} → ${specifier}`,
        sentence: 'the checker cannot see this import; write it as an `import` or `import type` statement',
      }));
  });
}

function relativeImports(text: string): string[] {
  return [...text.matchAll(/^(?!\s*(?:\*|\/\/)).*?(?:\bfrom\s*|\bimport\s*\(?\s*)'(\.[^']+\.ts)'/gm)].map(
    (m) => m[1]!,
  );
}

function toViolation(rules: ReturnType<typeof importRules>): (violation: IViolation) => Violation {
  const sentences = new Map(rules.map((rule) => [rule.name, rule.comment ?? '']));
  return ({ rule, from, to, cycle }) => ({
    rule: rule.name,
    where: [from, ...(cycle === undefined ? [to] : cycle.map((step) => step.name))].join(' → '),
    sentence: sentences.get(rule.name) ?? '',
  });
}
