/** The hidden line in the comments that are notices: by it they are found again, and told apart from answers. Pure. */
const NOTICE = /<!-- claude-hooks notice:[\w-]+ -->/;

export function noticeMark(id: string): string {
  return `<!-- claude-hooks notice:${id} -->`;
}

/** Anybody can write the mark: whether the author is an account of ours must be asked, too. */
export function hasNoticeMark(text: string): boolean {
  return NOTICE.test(text);
}
