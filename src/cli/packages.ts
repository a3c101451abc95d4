/** `packages list`, `approve` and `withdraw`: commits whose lock files a person approved for the package door. */
import { type Command, InvalidArgumentError } from 'commander';
import type { LoadedConfig } from '../config/config.ts';
import { isListed } from '../config/listed-repositories.ts';
import { NotFound } from '../errors.ts';
import { approveCommit, listApprovals, withdrawApproval } from '../packages/approvals.ts';
import { withExamples } from './examples.ts';
import { type NamedRepository, readRepository, readWords } from './option-values.ts';
import { renderApprovals } from './print/approvals.ts';
import { answer, reading, writing } from './shared.ts';

const WHO = 'the person who answers for it';

export function registerPackages(program: Command): void {
  const packages = program
    .command('packages')
    .description('commits whose lock files count at the package door, besides those of the base branch');
  const list = packages
    .command('list')
    .description('all approvals, oldest first, withdrawn ones included')
    .option('--json', 'print JSON')
    .action(listAll);
  withExamples(list, [{ call: 'packages list', does: 'who approved which commit, and why' }]);
  const approve = packages
    .command('approve')
    .description('let agents install what the lock files of this commit name, from their next run on')
    .argument('<repository>', 'owner/name or forge:owner/name', readRepository)
    .argument(
      '<commit>',
      'the whole name of the commit; it must be on a branch or in a pull request',
      readCommit,
    )
    .requiredOption('--by <name>', WHO, readWords)
    .requiredOption('--because <text>', 'the reason, kept with the approval', readWords)
    .option('--json', 'print JSON')
    .action(approveOne);
  withExamples(approve, [
    {
      call: 'packages approve ada/greeter 4b825dc642cb6eb9a060e54bf8d69288fbee4904 --by ada --because "I looked at the new packages"',
      does: 'counts for that repository and commit alone',
    },
  ]);
  const withdraw = packages
    .command('withdraw')
    .description('take an approval back')
    .argument('<approval>', 'its id, as `packages list` shows it', readWords)
    .requiredOption('--by <name>', WHO, readWords)
    .option('--json', 'print JSON')
    .action(withdrawOne);
  withExamples(withdraw, [
    { call: 'packages withdraw 0f3b6c1e-5a4d-4c55-9d0e-0c5f0a6f7b11 --by ada', does: 'from the next run on' },
  ]);
}

async function listAll(_options: unknown, command: Command): Promise<void> {
  const found = await reading(command, ({ database }) => listApprovals(database.rows));
  answer(command, found, renderApprovals);
}

interface Approving {
  by: string;
  because: string;
}

async function approveOne(
  named: NamedRepository,
  commit: string,
  { by, because }: Approving,
  command: Command,
): Promise<void> {
  const approved = await writing(command, async ({ database, config }) => {
    const forge = forgeOf(config, named);
    const { repository } = named;
    const id = await approveCommit(database.rows, {
      forge,
      repository,
      commit,
      by,
      because,
      now: Date.now(),
    });
    return { id, forge, repository, commit };
  });
  answer(
    command,
    approved,
    () =>
      `The lock files of ${commit} in ${approved.forge}:${approved.repository} count from the next run on. \`claude-hooks packages withdraw ${approved.id} --by …\` takes that back.`,
  );
}

async function withdrawOne(id: string, { by }: { by: string }, command: Command): Promise<void> {
  await writing(command, async ({ database }) => {
    if (!(await withdrawApproval(database.rows, { id, by, now: Date.now() }))) {
      throw new NotFound(`There is no approval ${id} that counts. \`claude-hooks packages list\` shows all.`);
    }
  });
  answer(command, { id, by }, () => `The approval ${id} is withdrawn, from the next run on.`);
}

function forgeOf(config: LoadedConfig, { forge, repository }: NamedRepository): string {
  const holding = Object.values(config.forges).filter(
    (one) => (forge === null || one.name === forge) && isListed(one, repository),
  );
  if (holding.length === 1) return holding[0]!.name;
  throw new NotFound(
    holding.length === 0
      ? `No forge of the configuration lists the repository ${repository}. Look at forges.<name>.repositories.`
      : `More than one forge lists ${repository}: name it as forge:owner/name.`,
  );
}

function readCommit(text: string): string {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('Give the whole name of a commit, of 40 or 64 hexadecimal digits.');
}
