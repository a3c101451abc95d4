/**
 * Writes docs/configuration.md and claude-hooks.schema.json from the option tables, docs/protected-files.md and
 * docs/metrics.md from their lists, docs/commands.md from the commands; with `--check` it only says whether they are up to
 * date (exit code 1 when not).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PROTECTED_FILES } from '../src/broker/protected-files.ts';
import { agentOptions } from '../src/config/agent-options.ts';
import { conditionPaths } from '../src/config/condition-fields.ts';
import { CONDITION_FUNCTIONS } from '../src/config/condition-functions.ts';
import { flowOptions } from '../src/config/flow-file.ts';
import { options } from '../src/config/options.ts';
import { skillOptions } from '../src/config/skill-file.ts';
import { expectation, type TableNode, tableOf } from '../src/config/table.ts';
import { FAMILIES, type Family } from '../src/metrics/families.ts';
import { EVENT_NAMES } from '../src/vocabulary.ts';
import { commandsPage } from './commands-page.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const outputs: Record<string, string> = {
  'docs/configuration.md': configurationPage(),
  'docs/protected-files.md': protectedFilesPage(),
  'docs/metrics.md': metricsPage(),
  'docs/commands.md': commandsPage(),
  'claude-hooks.schema.json': `${JSON.stringify(publishedSchema(), null, 2)}\n`,
};

const stale = Object.entries(outputs).filter(([file, text]) => textOf(`${root}${file}`) !== text);
if (process.argv.includes('--check')) {
  for (const [file] of stale) console.error(`${file} is not what the sources say. Run: npm run docs`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [file, text] of stale) writeFileSync(`${root}${file}`, text);
  console.log(stale.length === 0 ? 'Up to date.' : `Written: ${stale.map(([file]) => file).join(', ')}`);
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function configurationPage(): string {
  const main = tableOf(options);
  return `${[
    '# Configuration',
    '',
    '<!-- Generated from the option tables in src/config by `npm run docs`. Edit those. -->',
    '',
    'One file, `claude-hooks.yaml`, and three optional folders beside it: `agents/`, `flows/` and `skills/`. Editors that',
    'read JSON Schema can use `claude-hooks.schema.json`. A change is picked up while the service runs; when it is wrong,',
    'the service says so and keeps the last good version.',
    '',
    '```yaml',
    smallest(),
    '```',
    '',
    `**Values.** \`\${NAME}\` puts in an environment variable, \`\${NAME:-text}\` has a default, \`$\${\` stands for a literal \`\${\`.`,
    'Paths are relative to `claude-hooks.yaml`. A key marked *secret* can also be given as `<key>_file`, the path of a file',
    'with the value; a line break at its end is dropped. A secret typed into the file itself works and is warned about.',
    '',
    '## claude-hooks.yaml',
    '',
    ...sections(main),
    ...agentPage(),
    ...flowPage(),
    ...skillPage(),
  ].join('\n')}\n`;
}

function protectedFilesPage(): string {
  const reasons = [...new Set(PROTECTED_FILES.map(({ group, is }) => JSON.stringify([group, is])))];
  const rows = reasons.map((reason) => {
    const [group, is] = JSON.parse(reason) as [string, string];
    const patterns = PROTECTED_FILES.filter((entry) => entry.group === group && entry.is === is);
    return `| ${patterns.map(({ pattern }) => `\`${pattern}\``).join(', ')} | ${is} | ${group} |`;
  });
  return `${[
    '# Protected files',
    '',
    '<!-- Generated from src/broker/protected-files.ts by `npm run docs`. Edit that. -->',
    '',
    'These files run code, or decide something, outside of the container. A push that adds, changes, renames or deletes one',
    'is refused, in the run and after it; the agent is told which file, why, and how to take it out, and describes the change',
    'in its answer instead. A link or a submodule in the place of such a file or its folder counts as the file, and so does',
    'what a link at such a place leads to. Upper and lower case are the same.',
    '',
    '`*` is anything within a name, a leading `**/` any folder, a `/` at the end all that is in the folder.',
    '',
    '- `git.unprotected_files` lets all agents push what it names, for example `.gitattributes`.',
    "- `workflow_files: true` in an agent's file lets that agent push the group `ci`.",
    '- `git.protected_files` adds patterns.',
    '',
    'Dependencies and build scripts (`package.json`, `Makefile`) are the work itself and are not protected: see that CI of a',
    'branch that nobody has reviewed has no secrets.',
    '',
    '| files | are | group |',
    '|---|---|---|',
    ...rows,
  ].join('\n')}\n`;
}

function metricsPage(): string {
  const rows = Object.entries(FAMILIES).map(([name, family]: [string, Family]) => {
    const labels = family.labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${family.type} | ${labels} | ${family.from} | ${family.help} |`;
  });
  return `${[
    '# Metrics',
    '',
    '<!-- Generated from src/metrics/families.ts by `npm run docs`. Edit that. -->',
    '',
    '`/metrics` is in the text format of Prometheus. It stands beside the webhooks, where whoever reaches the service reads it;',
    'with `metrics.port` it is, with `/healthz` (the process answers) and `/readyz` (the database answers, and the service is',
    'not stopping), on an address of its own, and gone from the other.',
    '',
    '```yaml',
    'metrics: { host: 127.0.0.1, port: 9464 }',
    '```',
    '',
    'What comes from `rows` is read from the database at each scrape: it is right after a restart, and of several services on',
    'one database each tells all of it, so do not add them up. What comes from the `process` begins at 0 with it.',
    '',
    '| name | type | labels | from | is |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    'For example:',
    '',
    '```promql',
    'sum by (repository) (increase(claude_hooks_model_cost_usd_total[1d]))              # dollars a day',
    'claude_hooks_hold_until_timestamp_seconds - time()                                  # seconds that the credential is still held',
    'sum(increase(claude_hooks_dispatch_duration_seconds_count{state="failed"}[1h])) > 0 # something failed',
    'histogram_quantile(0.9, sum by (le) (rate(claude_hooks_dispatch_queue_seconds_bucket[1h])))',
    'increase(claude_hooks_incidents_total[1d]) > 0                                      # continuity had to be mended',
    '```',
  ].join('\n')}\n`;
}

function smallest(): string {
  return [
    'model:',
    `  api_key: \${ANTHROPIC_API_KEY}`,
    'container:',
    '  engine: process',
    'forges:',
    '  home:',
    '    kind: forgejo',
    '    url: https://forge.example.org',
    `    webhook_secret: \${WEBHOOK_SECRET}`,
    '    repositories: [team/shop]',
    '    accounts:',
    `      dev: { login: dev-bot, token: "\${DEV_TOKEN}" }`,
  ].join('\n');
}

function agentPage(): string[] {
  return [
    '## Agents: `agents/<name>.md`',
    '',
    'Front matter as in Claude Code, with more keys; the text below it is added to the system prompt. Shipped: `dev` and',
    '`reviewer`. A file with the name of a shipped agent replaces it.',
    '',
    ...table(tableOf(agentOptions), ''),
    '',
  ];
}

function flowPage(): string[] {
  return [
    '## Flows: `flows/*.yaml`',
    '',
    'A file holds one flow or a list of them. An event wakes each agent at most once. To switch a shipped flow off, name it',
    'and write `enabled: false`.',
    '',
    ...table(tableOf(flowOptions), ''),
    '',
    `Events: ${EVENT_NAMES.map((name) => `\`${name}\``).join(', ')}.`,
    '',
    'A condition is a [CEL](https://cel.dev) expression. It may name:',
    '',
    ...conditionNames(),
    '',
    '`event.item`, `event.pull`, `event.comment`, `event.review`, `event.ci`, `event.push` and `event.requestedReviewer` are',
    'null where the event has none. `sender.agent` is the name of the agent that caused the event, or empty;',
    '`sender.person` is true for anybody who is neither an agent nor a robot user of the forge; `agents` are the logins of',
    'all agents on this forge. Beside the functions of CEL there are:',
    '',
    ...CONDITION_FUNCTIONS.map(({ call, meaning }) => `- \`${call}\`: ${meaning}`),
    '',
    "An agent is never woken by its own event. The result of a CI run is not counted as anybody's own.",
    '',
  ];
}

/** One line for each object, its fields behind it. */
function conditionNames(): string[] {
  const groups = Object.groupBy(conditionPaths(), (path) => path.split('.').slice(0, -1).join('.'));
  return Object.entries(groups).map(([parent, paths = []]) =>
    parent === ''
      ? paths.map((path) => `- \`${path}\``).join('\n')
      : `- \`${parent}\`: ${paths.map((path) => `\`${path.slice(parent.length + 1)}\``).join(', ')}`,
  );
}

function skillPage(): string[] {
  return [
    '## Skills: `skills/<name>.md`',
    '',
    'A [Liquid](https://liquidjs.com) template in two forms: the full one begins a session, the short one, after a line',
    '`--- resumed ---`, continues it. Without that line the full form serves for both. A file whose name begins with `_` is',
    "a partial: `{% include '_item' %}`. Begin the full form with what is the same in every conversation; what is of one item",
    'or sender comes last.',
    '',
    ...table(tableOf(skillOptions), ''),
    '',
    'A template may name `event`, `messages` (each with `event`, `flow`, `with`), `item`, `pull`, `comments`, `reviews`,',
    '`changes` (what changed since the last dispatch, in sentences), `agent`, `conversation`, `branch` and `with`. In the',
    'short form, `comments` and `reviews` are those since the last dispatch. Unknown variables are empty; unknown filters',
    'and tags are errors. Two filters are ours:',
    '',
    "- `{{ comment.body | fenced }}` puts other people's text into a fence it cannot close, and says whose it is;",
    '- `{{ item.title | one_line }}` makes one line of it, of 200 characters at most.',
    '',
    'Texts and names of the forge know their author (`{{ comment.body.author }}`, `{% if comment.body.trusted %}`). Words of',
    'somebody who may not wake agents are printed with that, whatever the template does: `"…" by eve (not trusted)`, or a',
    'fence labelled so. Names of which the forge does not say who chose them, such as labels, are printed in quotes.',
  ];
}

function sections(main: TableNode): string[] {
  const entries = Object.entries(main.properties ?? {});
  const plain = entries.filter(([, node]) => !isSection(node));
  const lines = entries.filter(([, node]) => isSection(node)).flatMap(([key, node]) => section(key, node));
  const folders: TableNode = { properties: Object.fromEntries(plain), required: main.required ?? [] };
  return [...lines, '### Folders', '', ...table(folders, ''), ''];
}

function section(key: string, node: TableNode): string[] {
  const entry = entryOf(node);
  const free = entry === null ? '' : `.<${node['x-key']}>`;
  return [
    `### \`${key}${free}\``,
    '',
    node.description ?? '',
    '',
    ...table(entry ?? node, `${key}${free}.`),
    '',
  ];
}

function isSection(node: TableNode): boolean {
  return node.type === 'object';
}

function entryOf(node: TableNode): TableNode | null {
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : null;
}

function table(node: TableNode, prefix: string): string[] {
  return ['| key | value | default | meaning |', '|---|---|---|---|', ...rows(node, prefix)];
}

function rows(node: TableNode, prefix: string, above = ''): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const entry = entryOf(child);
    if (entry?.properties)
      return [
        row(`${above}${key}`, child, node),
        ...rows(entry, prefix, `${above}${key}.<${child['x-key']}>.`),
      ];
    return [row(`${above}${key}`, child, node)];
  });
}

function row(key: string, child: TableNode, parent: TableNode): string {
  const required = parent.required?.includes(key.split('.').at(-1)!) ?? false;
  const missing = required ? '**required**' : '';
  const preset = child.default === undefined ? missing : `\`${JSON.stringify(child.default)}\``;
  const meaning = `${child['x-secret'] ? '*Secret.* ' : ''}${child.description ?? ''}`;
  return `| ${[`\`${key}\``, expectation(child), preset, meaning].map(cellText).join(' | ')} |`;
}

/** Outside of code, `<path>` would be taken for HTML. */
function cellText(cell: string): string {
  const escaped = cell.startsWith('`') || cell.includes('`<') ? cell : cell.replaceAll('<', '&lt;');
  return escaped.replaceAll('|', '\\|');
}

/** The schema of the file as people may write it: with `_file` keys, and variables in place of numbers. */
function publishedSchema(): object {
  const schema = withFiles(tableOf(options)) as TableNode & { $schema?: string };
  const { $schema, ...rest } = schema;
  return { $schema, title: 'claude-hooks.yaml', ...rest };
}

function withFiles(node: TableNode): TableNode {
  const result: TableNode & { anyOf?: unknown[]; allOf?: unknown[] } = { ...node };
  if (typeof node.additionalProperties === 'object') {
    result.additionalProperties = withFiles(node.additionalProperties);
  }
  // Entries that are a text or a mapping, which may hold a secret.
  const branches = node.items?.anyOf;
  if (branches?.some((branch) => branch.properties)) {
    result.items = { ...node.items, anyOf: branches.map(withFiles) };
  }
  if (node.properties === undefined) return withVariable(result);
  const properties: Record<string, TableNode> = {};
  const either: object[] = [];
  for (const [key, child] of Object.entries(node.properties)) {
    properties[key] = withFiles(child);
    if (!child['x-secret']) continue;
    properties[`${key}_file`] = { ...fileType(child), description: `File that holds ${key}.` };
    if (node.required?.includes(key))
      either.push({ oneOf: [{ required: [key] }, { required: [`${key}_file`] }] });
  }
  result.properties = properties;
  const required = node.required?.filter((key) => !node.properties?.[key]?.['x-secret']) ?? [];
  if (required.length > 0) result.required = required;
  else delete result.required;
  if (either.length > 0) result.allOf = either;
  return result;
}

function fileType(secret: TableNode): TableNode {
  return secret.anyOf
    ? { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }
    : { type: 'string' };
}

/** `port: ${PORT}` is right although it is a text, and so is `url: ${URL}` before it is one. */
function withVariable(node: TableNode & { format?: string; pattern?: string }): TableNode {
  const free = node.format === undefined && node.pattern === undefined && node.enum === undefined;
  if (free && node.type !== 'integer' && node.type !== 'boolean') return node;
  const { description, default: preset, ...value } = node;
  const outer = { ...(description && { description }), ...(preset !== undefined && { default: preset }) };
  return { ...outer, anyOf: [value, { type: 'string', pattern: '\\$\\{[^}]+\\}' } as TableNode] };
}
