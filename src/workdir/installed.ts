/** Whether git is installed, and new enough for the commands we use. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MissingProgram } from '../errors.ts';

/** `git merge-tree --write-tree` is the newest command we use. */
const NEEDED: readonly [number, number] = [2, 38];
const NEED = `git ${NEEDED.join('.')} or newer`;
const REMEDY = 'Install it with the package git of your system (`apt-get install git`).';

/** Throws MissingProgram with one sentence. `path`: where to look for programs, in the form of $PATH. */
export async function requireGit(path: string | undefined): Promise<void> {
  const said = await versionOf(path ?? '/usr/local/bin:/usr/bin:/bin');
  const numbers = /^git version (\d+)\.(\d+)/.exec(said);
  if (numbers === null) {
    throw new MissingProgram(
      `claude-hooks needs ${NEED}, and \`git --version\` answers: ${said.trim()}.`,
      REMEDY,
    );
  }
  const [major, minor] = [Number(numbers[1]), Number(numbers[2])];
  // guard: first hour: a git that is too old is refused
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  throw new MissingProgram(`claude-hooks needs ${NEED}, and this is ${numbers[0]}.`, REMEDY);
}

async function versionOf(path: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', ['--version'], { env: { PATH: path, LC_ALL: 'C' } });
    return stdout;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return message;
    throw new MissingProgram(`claude-hooks needs ${NEED}, and there is no git in PATH (${path}).`, REMEDY);
  }
}
