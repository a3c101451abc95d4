/** Files attached to items and comments: listed and added through the API, read from the forge's own address alone. */
import { z } from 'zod';
import type { AttachmentPlace, Forge } from '../forge.ts';
import type { ForgeHttp } from './http.ts';

const asset = z.object({ uuid: z.string(), name: z.string(), size: z.number() });

type Attachments = Pick<Forge, 'listAttachments' | 'readAttachment' | 'attach'>;

export function createAttachments(http: ForgeHttp): Attachments {
  return {
    async listAttachments(repository, place) {
      const call = { method: 'GET', repository, path: pathOf(place) } as const;
      const { members } = await http.listTo(call, { member: asset });
      return members.map(toAttachment);
    },
    // An attachment has no address of its own below the API: this one takes the token as well.
    readAttachment: async (id, most) => await http.bytes(`/attachments/${encodeURIComponent(id)}`, most),
    async attach(repository, place, file) {
      const call = { method: 'POST', repository, path: pathOf(place), file } as const;
      return toAttachment((await http.sendTo(call, asset)).value);
    },
  };
}

function pathOf(place: AttachmentPlace): string {
  return 'number' in place ? `/issues/${place.number}/assets` : `/issues/comments/${place.commentId}/assets`;
}

function toAttachment({ uuid, name, size }: z.output<typeof asset>) {
  // Relative, so that it shows whatever name the forge is reached by.
  return { id: uuid, name, bytes: size, address: `/attachments/${uuid}` };
}
