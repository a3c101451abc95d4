import { expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG, SMALL_ENV } from '../../test/support/config-folder.ts';

const ENV = { ...SMALL_ENV, OTHER_SECRET: 'other-secret-value', THIRD_SECRET: 'third-secret-value' };

/** The small configuration with these entries in `repositories`. */
function withRepositories(entries: string, forgeWide = true): string {
  const text = SMALL_CONFIG.replace('[team/shop, other/*]', entries);
  return forgeWide ? text : text.replace(/ {4}webhook_secret: .*\n/, '');
}

function load(text: string, files: Record<string, string> = {}) {
  using folder = new ConfigFolder({ 'claude-hooks.yaml': text, ...files }, ENV);
  return folder.load();
}

function problems(text: string) {
  using folder = new ConfigFolder({ 'claude-hooks.yaml': text }, ENV);
  return folder.problems();
}

const OWN = '{ name: team/tools, webhook_secret: "${OTHER_SECRET}" }';

test('a repository may have a secret of its own, or several, from variables and files', () => {
  const text = withRepositories(
    `[team/shop, ${OWN}, { name: bo/*, webhook_secret_file: [secrets/new, secrets/old] }]`,
  );
  const config = load(text, { 'secrets/new': 'new-of-bo\n', 'secrets/old': 'old-of-bo\n' });
  expect(config.forges.home).toMatchObject({
    webhookSecrets: ['hook-secret-value'],
    repositories: [
      { pattern: 'team/shop', secrets: [] },
      { pattern: 'team/tools', secrets: ['other-secret-value'] },
      { pattern: 'bo/*', secrets: ['new-of-bo', 'old-of-bo'] },
    ],
  });
  expect(config.secrets).toEqual(
    expect.arrayContaining(['hook-secret-value', 'other-secret-value', 'new-of-bo', 'old-of-bo']),
  );
  expect(config.warnings.filter((warning) => warning.includes('secret'))).toEqual([]);
});

test('the forge needs none when every repository has one', () => {
  expect(load(withRepositories(`[${OWN}]`, false)).forges.home!.webhookSecrets).toEqual([]);
  expect(problems(withRepositories(`[${OWN}, team/shop]`, false))).toMatchObject([
    { path: 'forges.home.webhook_secret', problem: 'is missing' },
  ]);
  // One that is listed for itself falls under its owner's secret.
  const owners = '[{ name: team/*, webhook_secret: "${OTHER_SECRET}" }, team/shop]';
  expect(load(withRepositories(owners, false)).forges.home!.webhookSecrets).toEqual([]);
});

test.each<[string, string, string, RegExp]>([
  [
    'the secret of the forge again',
    '[{ name: team/tools, webhook_secret: "${HOOK_SECRET}" }]',
    'forges.home.repositories[0].webhook_secret',
    /this is the secret of the forge, too/,
  ],
  [
    'one secret for two repositories',
    `[${OWN}, { name: team/shop, webhook_secret: "\${OTHER_SECRET}" }]`,
    'forges.home.repositories[1].webhook_secret',
    /this is the secret of team\/tools, too/,
  ],
  [
    'one repository twice',
    `[${OWN}, { name: Team/Tools, webhook_secret: "\${THIRD_SECRET}" }]`,
    'forges.home.repositories[1].name',
    /another entry of this name/,
  ],
  [
    'an empty secret',
    '[{ name: team/tools, webhook_secret: "" }]',
    'forges.home.repositories[0].webhook_secret',
    /expected a secret as \$\{VARIABLE\}/,
  ],
  ['no secret', '[{ name: team/tools }]', 'forges.home.repositories[0].webhook_secret', /is missing/],
  [
    'a key that is not known',
    `[{ name: team/tools, webhook_secret: "\${OTHER_SECRET}", webhook_secert: x }]`,
    'forges.home.repositories[0].webhook_secert',
    /is not a key we know/,
  ],
  [
    'a variable that is not set',
    '[{ name: team/tools, webhook_secret: "${NOT_SET}" }]',
    'forges.home.repositories[0].webhook_secret',
    /NOT_SET is not set/,
  ],
  [
    'a name that is none',
    '[{ name: tools, webhook_secret: "${OTHER_SECRET}" }]',
    'forges.home.repositories[0].name',
    /expected owner\/name or owner\/\*/,
  ],
])('%s is refused, without the secret in the words', (_, entries, path, words) => {
  const found = problems(withRepositories(entries));
  expect(found).toMatchObject([{ path, problem: expect.stringMatching(words) }]);
  expect(found[0]!.remedy).toMatch(/\.$/);
  expect(JSON.stringify(found)).not.toMatch(/secret-value/);
});
