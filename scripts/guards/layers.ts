/** Layers: who writes them, what they may hold, and that there is no half one. */
import type { Guard } from './guard.ts';

const LAYERS = ['src/layers.test.ts'];
const PURE = ['src/layers/recipe.test.ts'];

export const LAYERS_GUARDS: Guard[] = [
  {
    name: 'layers: writes land in the conversation’s own folder',
    keeps: 'a conversation from changing what all others read',
    off: [
      {
        mark: 'layers: writes land in the conversation’s own folder',
        becomes: 'void over;\nreturn owned(source, target);',
      },
    ],
    tests: { files: LAYERS, named: 'bubblewrap.*the first conversation builds' },
  },
  {
    name: 'layers: the set-up run sees nothing of agents',
    keeps: 'an agent from poisoning a layer through a folder that the operator lets it write',
    off: [{ mark: 'layers: the set-up run sees nothing of agents', becomes: '...r.settings.mounts,' }],
    tests: { files: PURE, named: 'no network, no cache' },
  },
  {
    name: 'layers: the set-up run has no network',
    keeps: 'set-up commands from the network of this machine',
    off: [{ mark: 'layers: the set-up run has no network', becomes: 'network: r.settings.network,' }],
    tests: { files: PURE, named: 'no network, no cache' },
  },
  {
    name: 'layers: the set-up file is the base branch’s',
    keeps: 'a pull request, a fork’s too, from saying what is set up for all',
    off: [
      {
        mark: 'layers: the set-up file is the base branch’s',
        becomes:
          'const found = (await workdir.baseFiles(r.checkout, { ...r.base, sha: r.checkout.headSha }, { paths: file, texts: file })).get(SETUP_FILE);',
      },
    ],
    tests: { files: LAYERS, named: 'only the base branch' },
  },
  {
    name: 'layers: a branch that an agent works on is no base',
    keeps:
      'an agent from saying what is set up and which packages pass where its branch is the base of a pull request',
    off: [
      {
        mark: 'layers: a branch that an agent works on is no base',
        becomes: 'if (own !== null) return checkout.baseSha;',
      },
    ],
    tests: { files: ['test/set-up-packages.test.ts'], named: 'npm ci of the base branch' },
  },
  {
    name: 'layers: a repository cannot raise limits',
    keeps: 'a repository from taking more time, memory or disk than the operator gives',
    off: [
      {
        mark: 'layers: a repository cannot raise limits',
        becomes:
          'limits: {\n  timeoutMs: own?.timeoutMs ?? timeoutMs,\n  memoryBytes: own?.memoryBytes ?? memoryBytes,\n  maxBytes: own?.maxBytes ?? maxBytes,\n},',
      },
    ],
    tests: { files: PURE, named: 'limits only fall' },
  },
  {
    name: 'layers: a kept path stays inside',
    keeps: 'a kept path from naming what is outside of the checkout, or git’s own folder',
    off: [
      {
        mark: 'layers: a kept path stays inside',
        becomes: "if (path === '' && path.length > LONGEST) return false;\nreturn true;\n",
        lines: 5,
      },
    ],
    tests: { files: PURE, named: 'is not kept' },
  },
  {
    name: 'layers: no steering file is kept',
    keeps: 'a layer from bringing what the CLI, git or a shell obeys',
    off: [{ mark: 'layers: no steering file is kept', becomes: 'void isSteering;' }],
    tests: { files: PURE, named: 'is refused' },
  },
  {
    name: 'layers: no package instructs',
    keeps: 'instructions that a package brings from reaching agents',
    off: [{ mark: 'layers: no package instructs', becomes: 'void removeTree;\nvoid folder;' }],
    tests: { files: LAYERS, named: 'would instruct' },
  },
  {
    name: 'layers: no tracked path is kept',
    keeps: 'a layer from hiding files that git tracks',
    off: [{ mark: 'layers: no tracked path is kept', becomes: '' }],
    tests: { files: LAYERS, named: 'would instruct' },
  },
  {
    name: 'layers: a broken layer is found',
    keeps: 'a layer that is not as it was made from being used',
    off: [{ mark: 'layers: a broken layer is found', becomes: 'void treeOf;' }],
    tests: { files: LAYERS, named: 'wait for one build' },
  },
  {
    name: 'layers: one build for all that wait',
    keeps: 'two dispatches from running the same set-up at once',
    off: [
      {
        mark: 'layers: one build for all that wait',
        lines: 1,
        becomes: 'const under = undefined as Promise<LayerAnswer> | undefined;',
      },
    ],
    tests: { files: LAYERS, named: 'wait for one build' },
  },
  {
    name: 'layers: one build for all processes',
    keeps: 'two processes from building in one folder',
    off: [
      {
        mark: 'layers: one build for all processes',
        lines: 1,
        becomes: 'const held = (await this.#lock(key)) ?? { release: () => {} };',
      },
    ],
    tests: { files: LAYERS, named: 'wait for one build' },
  },
  {
    name: 'layers: a failed set-up waits',
    keeps: 'the same failing commands from running at every dispatch',
    off: [{ mark: 'layers: a failed set-up waits', becomes: '' }],
    tests: { files: LAYERS, named: 'a set-up that fails' },
  },
  {
    name: 'layers: no secret in the end of a log',
    keeps: 'a secret of the configuration from rows and prompts',
    off: [
      {
        mark: 'layers: no secret in the end of a log',
        lines: 1,
        becomes: 'void [redactSecrets, secrets];\nconst clean = plainLines(this.#text);',
      },
    ],
    tests: { files: LAYERS, named: 'a set-up that fails' },
  },
  {
    name: 'layers: a set-up has a time limit',
    keeps: 'set-up commands that hang from holding a dispatch for ever',
    off: [
      {
        mark: 'layers: a set-up has a time limit',
        becomes: 'const timer = setTimeout(() => void tooLong(timeoutMs), timeoutMs);',
      },
    ],
    tests: { files: LAYERS, named: 'limits: time' },
  },
  {
    name: 'layers: a set-up has a limit on the disk',
    keeps: 'set-up commands from filling the disk',
    off: [
      {
        mark: 'layers: a set-up has a limit on the disk',
        becomes: 'void [onMore, maxBytes];',
      },
    ],
    tests: { files: LAYERS, named: 'limits: disk' },
  },
  {
    name: 'layers: none in use is removed',
    keeps: 'a layer from being removed under a run that reads it',
    off: [
      {
        mark: 'layers: none in use is removed',
        becomes: "const free = rows.filter(({ state }) => state !== 'building');\nvoid isUsed;",
      },
    ],
    tests: { files: PURE, named: 'none that is in use' },
  },
  {
    name: 'layers: no half layer',
    keeps: 'a layer that is not complete from standing in its place',
    off: [
      {
        mark: 'layers: no half layer',
        becomes:
          "await mkdir(folder);\nfor (const { n } of manifest.kept) {\n  await rename(join(c.fresh, String(n)), join(folder, String(n)));\n  faultPoint('layer.committed');\n}\nawait rename(manifestPath(c.fresh), manifestPath(folder));",
      },
    ],
    tests: { files: ['src/layers/killed.test.ts'], named: 'layer.committed' },
  },
];
