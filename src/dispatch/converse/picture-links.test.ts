import { expect, test } from 'vitest';
import { attachmentsIn } from './picture-links.ts';

const HOME = 'https://forge.example.org/git/';
const id = (n: number) => `8c1c3a2e-0000-4000-8000-00000000000${n}`;

test.each([
  [`![](/attachments/${id(1)})`, [1]],
  [`![a shot](https://forge.example.org/git/attachments/${id(1)})`, [1]],
  [`![](/ada/greeter/attachments/${id(1)} "t")`, [1]],
  [`<img width="3" src="attachments/${id(2)}">`, [2]],
  [`<img src='/attachments/${id(2)}' />\n![](/attachments/${id(1)}) ![](/attachments/${id(2)})`, [2, 1]],
  [`![](/attachments/${id(1).toUpperCase()})`, [1]],
  ['nothing of the kind', []],
  [`a link: [x](/attachments/${id(1)})`, []],
  [`\`![](/attachments/${id(1)})\``, []],
  [`\`\`\`md\n![](/attachments/${id(1)})\n\`\`\`\nand ![](/attachments/${id(2)})`, [2]],
  [`~~~\n![](/attachments/${id(1)})`, []],
  [`![](https://elsewhere.example.org/attachments/${id(1)})`, []],
  [`![](https://forge.example.org/attachments/${id(1)})`, []],
  [`![](//elsewhere.example.org/attachments/${id(1)})`, []],
  [`![](/attachments/../admin)`, []],
  [`![](/attachments/${id(1)}/../../x)`, []],
  [`![](/attachments/${id(1)}?token=x)`, []],
  [`![](data:image/png;base64,attachments/${id(1)})`, []],
])('%s', (text, ids) => {
  expect(attachmentsIn(text, HOME)).toEqual((ids as number[]).map(id));
});

test('a long and twisted text takes no time to speak of', () => {
  const begun = performance.now();
  attachmentsIn(
    ['attachments/ ', '![['.repeat(20_000), '<img src="'.repeat(5000), '`'.repeat(5000)].join(''),
    HOME,
  );
  expect(performance.now() - begun).toBeLessThan(5000);
});
