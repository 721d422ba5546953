import * as v from "valibot";

/** What we read of the updates of the Bot API; the rest is dropped. */

const id = v.pipe(v.number(), v.safeInteger());
const seconds = v.optional(v.number(), 0);

const User = v.object({
  id,
  is_bot: v.optional(v.boolean(), false),
  first_name: v.optional(v.string(), ""),
  username: v.optional(v.string()),
});
export type User = v.InferOutput<typeof User>;

const Chat = v.object({ id, type: v.string(), title: v.optional(v.string()) });

const Entity = v.object({
  type: v.string(),
  offset: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  length: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  user: v.optional(User),
});
export type Entity = v.InferOutput<typeof Entity>;

const Stored = v.object({ file_id: v.string(), file_size: v.optional(v.number()) });

const Document = v.object({
  ...Stored.entries,
  file_name: v.optional(v.string(), "file"),
  mime_type: v.optional(v.string()),
});

/** Whom a forwarded message is from, as far as that may be seen. */
const Origin = v.object({
  sender_user: v.optional(User),
  sender_user_name: v.optional(v.string()),
  sender_chat: v.optional(Chat),
  chat: v.optional(Chat),
});

export const Message = v.object({
  message_id: id,
  chat: Chat,
  from: v.optional(User),
  /** Set when a group or a channel speaks, and not a person. */
  sender_chat: v.optional(Chat),
  /** The same in all messages of an album. */
  media_group_id: v.optional(v.string()),
  message_thread_id: v.optional(id),
  is_topic_message: v.optional(v.boolean(), false),
  text: v.optional(v.string()),
  caption: v.optional(v.string()),
  entities: v.optional(v.array(Entity), []),
  caption_entities: v.optional(v.array(Entity), []),
  forward_origin: v.optional(Origin),
  reply_to_message: v.optional(
    v.object({ from: v.optional(User), text: v.optional(v.string()), caption: v.optional(v.string()) }),
  ),
  photo: v.optional(v.array(Stored)),
  document: v.optional(Document),
  animation: v.optional(v.object({ duration: seconds })),
  voice: v.optional(v.object({ duration: seconds })),
  audio: v.optional(v.object({ duration: seconds, title: v.optional(v.string()) })),
  video: v.optional(v.object({ duration: seconds })),
  video_note: v.optional(v.object({ duration: seconds })),
  sticker: v.optional(v.object({ emoji: v.optional(v.string(), "") })),
  location: v.optional(v.object({ latitude: v.number(), longitude: v.number() })),
  contact: v.optional(v.object({ first_name: v.string(), phone_number: v.string() })),
  poll: v.optional(v.object({ question: v.string() })),
});
export type Message = v.InferOutput<typeof Message>;

export const Press = v.object({
  id: v.string(),
  from: User,
  data: v.optional(v.string(), ""),
  message: v.optional(
    v.object({
      message_id: id,
      chat: Chat,
      text: v.optional(v.string()),
    }),
  ),
});
export type Press = v.InferOutput<typeof Press>;

/** The kinds that we ask for: edited messages, reactions and members that come and go are no turns. */
export const wantedUpdates = ["message", "callback_query"] as const;

export const Update = v.object({
  update_id: id,
  message: v.optional(v.unknown()),
  callback_query: v.optional(v.unknown()),
});
