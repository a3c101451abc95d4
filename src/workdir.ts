/** The working folders; the contract and its types are in `workdir/contract.ts`. */
import { rm } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { inCheckout, readStatus } from './workdir/checkout.ts';
import type {
  CheckoutHandle,
  Inspection,
  PushOutcome,
  PushRequest,
  Workdir,
  WorkdirOptions,
} from './workdir/contract.ts';
import { Control, readRecord } from './workdir/control.ts';
import { makeGit } from './workdir/git.ts';
import { Mirrors } from './workdir/mirror.ts';
import { Mutex } from './workdir/mutex.ts';
import { refused, requireBranchName, requireConversation, requireSha } from './workdir/names.ts';
import { checkoutsFolderOf, controlFolderOf, prepareCheckout, type Tools } from './workdir/prepare.ts';
import { pushCheckout, relayRef } from './workdir/push.ts';

export type {
  Checkout,
  CheckoutPoint,
  CheckoutSpec,
  Remote,
  Workdir,
  WorkdirOptions,
} from './workdir/contract.ts';

/** Starts nothing and touches no file until the first call. */
export function openWorkdir(options: WorkdirOptions): Workdir {
  if (!isAbsolute(options.folder)) {
    throw refused(`The work folder ${options.folder} is not an absolute path`, 'Pass an absolute path');
  }
  const git = makeGit(options);
  const log = options.log ?? (() => {});
  const tools: Tools = { folder: options.folder, git, mirrors: new Mirrors(options, git), log };
  const conversations = new Mutex();
  const alone = <T>(conversation: string, work: () => Promise<T>): Promise<T> => {
    requireConversation(conversation);
    return conversations.hold(conversation.toLowerCase(), work);
  };
  return {
    prepare: async (spec) => alone(spec.conversation, () => prepareCheckout(tools, spec)),
    inspect: async (checkout) => alone(checkout.conversation, () => inspect(tools, checkout)),
    push: async (checkout, request) => alone(checkout.conversation, () => push(tools, checkout, request)),
    changedFiles: async (checkout, sinceSha) =>
      alone(checkout.conversation, () => changedFiles(tools, checkout, sinceSha)),
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
    pushCheckout({ git, mirrors, use, control, checkout, request }),
  );
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
  if (record !== null) await tools.mirrors.forget(record.mirror, relayRef(conversation));
  await rm(checkoutsFolderOf(tools.folder, conversation), { recursive: true, force: true });
  await rm(controlFolder, { recursive: true, force: true });
}

async function openControl(tools: Tools, checkout: CheckoutHandle): Promise<Control> {
  requireSha(checkout.baseSha);
  const folder = controlFolderOf(tools.folder, checkout.conversation);
  const home = checkoutsFolderOf(tools.folder, checkout.conversation);
  if (!checkout.path.startsWith(`${home}/`)) {
    throw refused(`${checkout.path} is not a checkout of this conversation`, 'Pass what prepare answered');
  }
  const control = new Control(folder, checkout.path);
  const shape = await control.adopt();
  if (shape.kind === 'whole') return control;
  const what = shape.kind === 'missing' ? 'is missing' : `is damaged: ${shape.reason}`;
  throw refused(
    `The checkout ${checkout.path} ${what}`,
    'Prepare the conversation again, which makes it anew',
  );
}
