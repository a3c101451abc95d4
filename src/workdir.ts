/** The working folders; the contract and its types are in `workdir/port.ts`. */
import { isAbsolute, join } from 'node:path';
import { KeyedMutex } from './mutex.ts';
import { inCheckout, readStatus } from './workdir/checkout.ts';
import { Control, readRecord } from './workdir/control.ts';
import { readFilesNamed } from './workdir/files-named.ts';
import { makeGit } from './workdir/git.ts';
import type { AgentStores } from './workdir/lfs-store.ts';
import { Mirrors } from './workdir/mirror.ts';
import { refused, requireBranchName, requireConversation, requireSha } from './workdir/names.ts';
import { onForge } from './workdir/on-forge.ts';
import type {
  CheckoutHandle,
  HandedOver,
  Inspection,
  PushOutcome,
  PushRequest,
  ReceiveOutcome,
  Remote,
  Workdir,
  WorkdirOptions,
} from './workdir/port.ts';
import { checkoutsFolderOf, controlFolderOf, prepareCheckout, type Tools } from './workdir/prepare.ts';
import { keptRef, pushCheckout, relayRef } from './workdir/push.ts';
import { receivePush } from './workdir/receive.ts';
import { relayFolderOf } from './workdir/relay.ts';
import { removeTree } from './workdir/remove-tree.ts';
import { readUnpublished } from './workdir/unpublished.ts';

export type {
  Checkout,
  CheckoutPoint,
  CheckoutSpec,
  PushCheck,
  PushFacts,
  ReceiveOutcome,
  Refusal,
  Remote,
  Workdir,
  WorkdirOptions,
} from './workdir/port.ts';

/** Starts nothing and touches no file until the first call. */
export function openWorkdir(options: WorkdirOptions): Workdir {
  if (!isAbsolute(options.folder)) {
    throw refused(`The work folder ${options.folder} is not an absolute path`, 'Pass an absolute path');
  }
  const git = makeGit(options);
  const log = options.log ?? (() => {});
  const tools: Tools = { folder: options.folder, git, mirrors: new Mirrors(options, git), log };
  const conversations = new KeyedMutex();
  const alone = <T>(conversation: string, work: () => Promise<T>): Promise<T> => {
    requireConversation(conversation);
    return conversations.hold(conversation.toLowerCase(), work);
  };
  return {
    prepare: async (spec) => alone(spec.conversation, () => prepareCheckout(tools, spec)),
    inspect: async (checkout) => alone(checkout.conversation, () => inspect(tools, checkout)),
    push: async (checkout, request) => alone(checkout.conversation, () => push(tools, checkout, request)),
    receive: async (checkout, handed) => alone(checkout.conversation, () => receive(tools, checkout, handed)),
    refresh: async (checkout, at) => mirrorHead(tools, checkout, { ...at, refresh: true }),
    knownHead: async (checkout, at) => mirrorHead(tools, checkout, { ...at, refresh: false }),
    unpublished: async (checkout, of) =>
      alone(checkout.conversation, async () => {
        const control = await openControl(tools, checkout);
        const record = await readRecord(control.folder);
        return await readUnpublished(git, control, { ...of, bornDirty: record?.bornDirty ?? [] });
      }),
    changedFiles: async (checkout, sinceSha) =>
      alone(checkout.conversation, () => changedFiles(tools, checkout, sinceSha)),
    onForge: async (conversation, files) => {
      requireConversation(conversation);
      const record = await readRecord(controlFolderOf(options.folder, conversation));
      if (record === null) return new Set();
      return await onForge(git, join(options.folder, 'mirrors', record.mirror), files);
    },
    filesNamed: async (checkout, { remote, sha }, isWanted) =>
      tools.mirrors.use(checkout.repositoryId, remote, ({ path }) =>
        readFilesNamed({ git, mirror: path, sha }, isWanted),
      ),
    remove: async (conversation) => alone(conversation, () => remove(tools, conversation)),
  };
}

async function inspect(tools: Tools, checkout: CheckoutHandle): Promise<Inspection> {
  const control = await openControl(tools, checkout);
  const { headSha, branch, dirtyFiles } = await readStatus(tools.git, control);
  if (headSha === '') return { headSha, branch, dirtyFiles, commitsAheadOfBase: 0 };
  const args = ['rev-list', '--count', headSha, '--not', checkout.baseSha];
  const counted = await inCheckout(tools.git, control, args);
  return { headSha, branch, dirtyFiles, commitsAheadOfBase: Number(counted.stdout) };
}

async function push(tools: Tools, checkout: CheckoutHandle, request: PushRequest): Promise<PushOutcome> {
  requireBranchName(request.branch);
  if (checkout.branch !== null) requireBranchName(checkout.branch);
  const control = await openControl(tools, checkout);
  const { git, mirrors } = tools;
  return mirrors.use(checkout.repositoryId, request.remote, (use) =>
    pushCheckout({
      ...{ git, mirrors, use, control, checkout, request },
      branch: request.branch,
      stores: storesOf(tools, checkout),
    }),
  );
}

async function receive(tools: Tools, checkout: CheckoutHandle, handed: HandedOver): Promise<ReceiveOutcome> {
  requireBranchName(handed.branch);
  requireBranchName(handed.check.base);
  requireSha(handed.sha);
  requireSha(checkout.baseSha);
  const { git, mirrors } = tools;
  const quarantine = join(tools.folder, 'quarantine', checkout.conversation.toLowerCase());
  return mirrors.use(checkout.repositoryId, handed.remote, (use) =>
    receivePush({ git, mirrors, use, quarantine, checkout, stores: storesOf(tools, checkout), push: handed }),
  );
}

function storesOf(tools: Tools, { path, conversation }: CheckoutHandle): AgentStores {
  return { checkout: path, relay: join(relayFolderOf(tools.folder, conversation), 'push.git') };
}

async function mirrorHead(
  tools: Tools,
  checkout: CheckoutHandle,
  at: { remote: Remote; branch: string; refresh: boolean },
): Promise<string | null> {
  requireBranchName(at.branch);
  const { mirrors } = tools;
  return mirrors.use(checkout.repositoryId, at.remote, async (use) => {
    if (at.refresh) await mirrors.refresh(use, { pull: null, names: [at.branch] });
    return await mirrors.head(use.path, `refs/heads/${at.branch}`);
  });
}

async function changedFiles(tools: Tools, checkout: CheckoutHandle, sinceSha: string): Promise<string[]> {
  requireSha(sinceSha);
  const control = await openControl(tools, checkout);
  const options = [
    '--name-only',
    '-z',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    '--ignore-submodules=all',
  ];
  const tracked = await inCheckout(tools.git, control, [
    '--no-optional-locks',
    'diff',
    ...options,
    sinceSha,
    '--',
  ]);
  const { dirtyFiles } = await readStatus(tools.git, control);
  const names = tracked.stdout.split('\0').filter((name) => name !== '');
  return [...new Set([...names, ...dirtyFiles])].sort();
}

async function remove(tools: Tools, conversation: string): Promise<void> {
  const controlFolder = controlFolderOf(tools.folder, conversation);
  const record = await readRecord(controlFolder);
  if (record !== null) {
    await tools.mirrors.forget(record.mirror, [relayRef(conversation), keptRef(conversation)]);
  }
  await removeTree(checkoutsFolderOf(tools.folder, conversation));
  await removeTree(relayFolderOf(tools.folder, conversation));
  await removeTree(controlFolder);
}

async function openControl(tools: Tools, checkout: CheckoutHandle): Promise<Control> {
  requireSha(checkout.baseSha);
  const folder = controlFolderOf(tools.folder, checkout.conversation);
  const home = checkoutsFolderOf(tools.folder, checkout.conversation);
  if (!checkout.path.startsWith(`${home}/`)) {
    throw refused(`${checkout.path} is not a checkout of this conversation`, 'Pass what prepare answered');
  }
  const control = new Control(folder, checkout.path);
  const format = (await readRecord(folder))?.format ?? 'sha1';
  const shape = await control.adopt(format);
  if (shape.kind === 'whole') return control;
  const what = shape.kind === 'missing' ? 'is missing' : `is damaged: ${shape.reason}`;
  // The checkout's path is left out, because this sentence may be posted on the forge.
  throw refused(
    `The checkout of this conversation ${what}`,
    'Prepare the conversation again, which makes it anew',
  );
}
