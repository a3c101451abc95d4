/** Files attached to issues, pull requests and comments: through the API, and at `/attachments/<uuid>` of the site. */
import { randomUUID } from 'node:crypto';
import type { Hono } from 'hono';
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import { findItem, itemById, repositoryById, requirePermission, userById } from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import { sendCommentEvent, sendItemEvent } from './pocket-forge-events.ts';
import { findComment } from './pocket-forge-issues.ts';
import {
  type ApiContext,
  type PocketApi,
  routeNumber,
  routeRepository,
  signedIn,
  visitor,
} from './pocket-forge-requests.ts';
import { nextId, now, type StoredAttachment, type StoredRepository } from './pocket-forge-state.ts';

/** What the forges allow by default; only the name counts. */
const EXTENSIONS =
  /\.(avif|cpuprofile|csv|dmp|docx|fodg|fodp|fods|fodt|gif|gz|jpeg|jpg|json|jsonc|log|md|mov|mp4|odf|odg|odp|ods|odt|patch|pdf|png|pptx|svg|tgz|txt|webm|webp|xls|xlsx|zip)$/i;

export interface NewAttachment {
  repository: StoredRepository;
  place: StoredAttachment['place'];
  name: string;
  bytes: Uint8Array;
  uploader: number;
}

/** Through the API, or on the page of what is there already. */
export function addAttachment(context: PocketContext, o: NewAttachment): StoredAttachment {
  const stored = storeAttachment(context, { ...o, uuid: randomUUID() });
  sendEdited(context, stored);
  return stored;
}

/** Without an event: what a page uploads before its text is sent is told by the event of the text alone. */
export function storeAttachment(
  context: PocketContext,
  o: NewAttachment & { uuid: string },
): StoredAttachment {
  if (!EXTENSIONS.test(o.name))
    throw new ForgeRefused(`The file type of ${o.name} is not allowed. Use another.`, 422);
  const stored: StoredAttachment = {
    id: nextId(context.state, 'attachment'),
    uuid: o.uuid,
    repository: o.repository.id,
    place: o.place,
    name: o.name,
    uploader: o.uploader,
    created: now(),
    data: Buffer.from(o.bytes).toString('base64'),
  };
  context.state.attachments = [...(context.state.attachments ?? []), stored];
  return stored;
}

/** The forges tell of an upload as of an edit that changes nothing. */
function sendEdited(context: PocketContext, { place, uploader }: StoredAttachment): void {
  const sender = userById(context.state, uploader);
  if ('item' in place) {
    const item = itemById(context.state, place.item);
    sendItemEvent(context, { item, action: 'edited', sender, changes: { body: { from: item.body } } });
    return;
  }
  const comment = context.state.comments.find(({ id }) => id === place.comment)!;
  const item = itemById(context.state, comment.item);
  sendCommentEvent(context, {
    item,
    comment,
    action: 'edited',
    sender,
    changes: { body: { from: comment.body } },
  });
}

const REPO = '/repos/:owner/:name';

export function addAttachmentRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  const places: [string, (c: ApiContext, repository: StoredRepository) => StoredAttachment['place']][] = [
    [
      `${REPO}/issues/:number{[0-9]+}/assets`,
      (c, repository) => ({ item: findItem(context.state, repository, routeNumber(c)).id }),
    ],
    [
      `${REPO}/issues/comments/:id{[0-9]+}/assets`,
      (c, repository) => {
        const comment = findComment(context, repository, routeNumber(c, 'id'));
        if (comment === 'review') throw new ForgeMissing('A review has no attachments here.');
        return { comment: comment.id };
      },
    ],
  ];
  for (const [path, placeOf] of places) {
    api.get(path, (c) => {
      const place = placeOf(c, routeRepository(c, context));
      const same = JSON.stringify(place);
      const found = (context.state.attachments ?? []).filter((one) => JSON.stringify(one.place) === same);
      return c.json(found.map((one) => assetShape(context, one)));
    });
    api.post(path, async (c) => {
      const uploader = signedIn(c);
      const repository = routeRepository(c, context);
      const place = placeOf(c, repository);
      requirePermission(repository, uploader, 'write');
      const { attachment: file } = await c.req.parseBody();
      if (!(file instanceof File)) throw new ForgeRefused('There is no file "attachment" in the form.', 400);
      const bytes = new Uint8Array(await file.arrayBuffer());
      const stored = await context.change(() =>
        addAttachment(context, { repository, place, name: file.name, bytes, uploader: uploader.id }),
      );
      return c.json(assetShape(context, stored), 201);
    });
  }
}

/** Of a private repository only for those who may read it; nobody is told whether there is such a file. */
export function serveAttachments(app: Hono<PocketApi>, context: PocketContext): void {
  app.get('/attachments/:uuid', (c) => {
    const found = (context.state.attachments ?? []).find(({ uuid }) => uuid === c.req.param('uuid'));
    if (found === undefined) throw new ForgeMissing('There is no such attachment.');
    requirePermission(repositoryById(context.state, found.repository), visitor(c), 'read');
    return c.body(Buffer.from(found.data, 'base64'), 200, { 'Content-Type': 'application/octet-stream' });
  });
}

function assetShape({ url }: PocketContext, one: StoredAttachment) {
  return {
    id: one.id,
    name: one.name,
    size: Buffer.byteLength(one.data, 'base64'),
    download_count: 0,
    created_at: one.created,
    uuid: one.uuid,
    browser_download_url: `${url}/attachments/${one.uuid}`,
    type: 'attachment',
  };
}
