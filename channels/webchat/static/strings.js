/** Every word the chat says itself. The hub's texts (greeting, system lines) come in the visitor's language already. */

const en = {
  chat: "Chat", online: "Online", away: "Closed now", ended: "Chat ended", waitingShort: "Waiting for an agent",
  minimise: "Minimise chat", menu: "More options", transcript: "Download transcript", transcriptShort: "Transcript", end: "End chat", language: "中文", languageLabel: "切换到中文",
  endQuestion: "End this chat?", endHint: "You can still download the transcript.", keep: "Keep chatting",
  hello: "How can we help?", topic: "What is it about?", yourMessage: "Your message", messageHint: "Write a few words",
  optional: "optional", start: "Start chat", required: "Fill this in", email: "Enter an e-mail address like name@example.com", sayWhat: "Choose a topic or write a message", choose: "Choose",
  closedTitle: "We're closed", opens: "We open {time}", leave: "Send message", leaving: "Sending…", left: "We have your message", leftHint: "You'll find our answer here.",
  position: "No. {n} in line", next: "You're next", about: "about {n} min", soon: "less than a minute", connecting: "Connecting you…", keepPlace: "You keep your place if the connection drops.",
  conversation: "Conversation", earlier: "Earlier messages", loadingEarlier: "Loading earlier messages", newBelow: "{n} new", newDivider: "New", latest: "Latest", today: "Today", yesterday: "Yesterday", you: "You", agent: "Agent", youLeft: "You left the conversation.",
  write: "Write a message…", send: "Send", attach: "Attach a file", drop: "Drop files to attach", remove: "Remove {name}", retryUpload: "Try {name} again", left_n: "{n} characters left", tooLong: "{n} characters too many",
  sending: "Sending", sent: "Sent", read: "Read", delayed: "Waiting to send", failed: "Not sent", retry: "Try again", discard: "Delete", startNew: "Start a new chat", isTyping: "{name} is typing", someone: "Someone", suggestions: "Suggested answers",
  endedTitle: "This chat has ended", offline: "You're offline. What you write is kept and sent later.", reconnecting: "Reconnecting. What you write is kept.", restarting: "The chat is restarting. It's back in a moment.", refused: "The chat isn't available right now. We keep trying.", back: "Connected again.",
  unreachable: "Can't reach the chat. Trying again…", uploading: "{n} % uploaded", files: "Attached files", image: "Picture {name}", connection: "Connection",
  e_too_large: "The message is too long.", e_closed: "The chat had ended before this arrived.", e_type_refused: "This kind of file is not accepted.", e_rate_limited: "Too many messages at once.", e_other: "The chat did not accept this.",
  f_too_large: "{name} is larger than {size}", f_type_refused: "{name}: only {types} can be sent", f_failed: "{name} could not be sent", f_empty: "{name} is empty", unsent: "Not sent last time. It's kept below.",
};

/** @type {typeof en} */
const zh = {
  chat: "在线聊天", online: "在线", away: "非服务时间", ended: "会话已结束", waitingShort: "正在等待客服",
  minimise: "收起聊天", menu: "更多选项", transcript: "下载聊天记录", transcriptShort: "聊天记录", end: "结束会话", language: "EN", languageLabel: "EN: switch to English",
  endQuestion: "结束本次会话？", endHint: "结束后仍可下载聊天记录。", keep: "继续聊天",
  hello: "有什么可以帮您？", topic: "您想咨询什么？", yourMessage: "您的留言", messageHint: "简单写几句",
  optional: "选填", start: "开始聊天", required: "此项必填", email: "邮箱格式应如 name@example.com", sayWhat: "选择一个主题或写下您的问题", choose: "选择",
  closedTitle: "现在是非服务时间", opens: "{time} 恢复服务", leave: "发送留言", leaving: "正在发送…", left: "已收到您的留言", leftHint: "我们会在这里回复您。",
  position: "前面还有 {before} 位", next: "下一位就是您", about: "约 {n} 分钟", soon: "不到 1 分钟", connecting: "正在为您接通…", keepPlace: "网络中断也会为您保留位置。",
  conversation: "会话", earlier: "更早的消息", loadingEarlier: "正在加载更早的消息", newBelow: "{n} 条新消息", newDivider: "新消息", latest: "回到最新", today: "今天", yesterday: "昨天", you: "您", agent: "客服", youLeft: "您已离开会话。",
  write: "输入消息…", send: "发送", attach: "添加附件", drop: "松开即可添加文件", remove: "移除 {name}", retryUpload: "重新上传 {name}", left_n: "还可输入 {n} 字", tooLong: "超出 {n} 字",
  sending: "发送中", sent: "已发送", read: "已读", delayed: "等待发送", failed: "未发送", retry: "重试", discard: "删除", startNew: "开始新会话", isTyping: "{name} 正在输入", someone: "对方", suggestions: "快捷回复",
  endedTitle: "会话已结束", offline: "您已离线。输入的内容会保留，稍后发送。", reconnecting: "正在重连，您输入的内容已保留。", restarting: "聊天服务正在重启，马上恢复。", refused: "聊天暂时不可用，我们会继续尝试。", back: "已重新连接。",
  unreachable: "无法连接聊天，正在重试…", uploading: "已上传 {n} %", files: "附件", image: "图片 {name}", connection: "连接",
  e_too_large: "消息太长。", e_closed: "消息送达前会话已结束。", e_type_refused: "不支持此类文件。", e_rate_limited: "发送过于频繁。", e_other: "未能接收这条消息。",
  f_too_large: "{name} 超过 {size}", f_type_refused: "{name}：仅支持 {types}", f_failed: "{name} 未能发送", f_empty: "{name} 是空文件", unsent: "上次未发送，已保留在下方。",
};

const LANGUAGES = { en, zh };
/** @typedef {keyof typeof LANGUAGES} Lang @typedef {keyof typeof en} Word @typedef {(word: Word, values?: Record<string, string | number>) => string} Say */

/** @param {string | null | undefined} wanted @returns {Lang} */
export function languageOf(wanted) {
  return /^zh/i.test(wanted ?? "") ? "zh" : "en";
}

/** @param {Lang} lang @returns {Say} */
export function speaker(lang) {
  return (word, values = {}) => LANGUAGES[lang][word].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
