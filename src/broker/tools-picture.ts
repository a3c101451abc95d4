/** `attach_picture`: a picture of the checkout, a screenshot say, becomes an attachment of an item that texts can show. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Attachment } from '../forges/forge.ts';
import { LARGEST_PICTURE, OUTGOING_EDGE, type Picture, readPictures } from '../pictures.ts';
import { readCheckoutFile } from './checkout-file.ts';
import { type Broker, Denied, type Done, itemNumber, type Tool, writeTool } from './tool.ts';

interface Input {
  number: number;
  path: string;
}

export const PICTURE_TOOLS: readonly Tool[] = [
  writeTool({
    name: 'attach_picture',
    description:
      'Attaches a picture (PNG, JPEG, GIF, WebP) from your checkout to an item of this conversation, and answers with the Markdown that shows it: put that into your final answer, a review or a comment. ' +
      '`path` is relative to the checkout; the file need not be committed. The same picture is attached once.',
    input: { number: itemNumber, path: z.string().trim().min(1).max(1000) },
    // The same picture is found by its name, so a repeated call changes nothing.
    leavesMark: false,
    harmless: true,
    target: ({ number }) => number,
    perform: async (input, { scope, deps }) => {
      const { bytes, mediaType } = await pictureAt(input, deps.checkout);
      const extension = mediaType === 'image/png' ? 'png' : 'jpg';
      const name = `picture-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.${extension}`;
      const place = { number: input.number };
      const there = await deps.forge.listAttachments(scope.repository, place);
      // guard: attach a picture once
      const same = there.find((one) => one.name === name);
      if (same !== undefined) return done(same);
      const file = { name, type: mediaType, bytes };
      return done(await deps.forge.attach(scope.repository, place, file));
    },
  }),
];

/** Written anew, so that nothing leaves that the picture does not show. */
async function pictureAt({ path }: Input, checkout: Broker['deps']['checkout']): Promise<Picture> {
  const file = await readCheckoutFile(checkout, path, LARGEST_PICTURE);
  if (file.kind === 'refused') throw new Denied(`${path}: ${file.why}.`);
  const [picture] = await readPictures([file.bytes], OUTGOING_EDGE);
  if (picture?.kind !== 'picture') throw new Denied(`${path}: ${picture?.why}. Attach another picture.`);
  return picture;
}

function done({ address }: Attachment): Done {
  return { text: `Attached. This shows it: ![picture](${address})` };
}
