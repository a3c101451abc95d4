/** The marks of a session in lines. */
import { count, oneLine, showTime } from '../../terminal-text.ts';
import type { MarksView } from '../../views/marks.ts';

const MOST_SHOWN = 5;

/** Nothing where the session was never marked. */
export function markLines({ restricted, marks, lifts }: MarksView): string[] {
  const open = marks.filter(({ liftedBy }) => liftedBy === null);
  const shown = open.slice(0, MOST_SHOWN).map((mark) => {
    const from = mark.inheritedFrom === null ? '' : `, from session ${mark.inheritedFrom}`;
    return `  ${oneLine(mark.place)} by ${oneLine(mark.author)}, by ${oneLine(mark.source)}, ${showTime(mark.at)}${from}`;
  });
  const more = open.length - shown.length;
  return [
    ...(restricted === null ? [] : [`marked: ${oneLine(restricted, 400)}`, ...shown]),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...lifts.map(
      (lift) =>
        `${count(lift.marks, 'mark')} lifted by ${oneLine(lift.by)}, ${showTime(lift.at)}: ${oneLine(lift.because, 200)}`,
    ),
  ];
}
