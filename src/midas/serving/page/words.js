// The page's words, in two languages. English stands in the page itself too.

const WORDS = {
  en: {
    tagline: "Depth from one picture. Nothing leaves this machine.", language: "Language", pictures: "Pictures",
    drop: "Drop or paste pictures here, or", choose: "Choose files", photograph: "Take a photograph", shoot: "Take the picture",
    stop: "Close the camera", depth: "Depth", show: "Show", compare: "Compare", scene: "3D", slider: "Photograph to depth",
    fov: "Field of view", ratio: "Far to near",
    turn: "Drag, or use the arrow keys, to turn; wheel, two fingers, or + and - to come nearer. Field of view and far to near are assumed: the picture alone doesn't tell them.",
    look: "Look", colours: "Colours", far: "Far end", near: "Near end", reset: "Reset", metres: "Metres",
    how: "Two distances that you know turn the values into metres: press, then click a point of the picture (or move with the arrow keys and press Enter).",
    pick: "Choose a point", distance: "Distance, m", download: "Download", model: "Model", size: "Detail",
    own: "the model's own", key: "Key of this server", use: "Use it", api: "The HTTP API",
    relative: "Relative, not metres: larger is nearer; scale and shift are unknown.", metric: "Metres along the optical axis.",
    aligned: "Metres by the two distances that you gave; elsewhere as good as the map is.",
    loading: "Loading …", working: "Working on {name} …", done: "{name}: {width} × {height} pixels in {ms} ms",
    failed: "It failed: {why}", failedOf: "{name}: {why}", value: "value {value} at {x}, {y}", valueMetres: "{metres} m (value {value}) at {x}, {y}",
    noLine: "These two don't go together: the nearer point must have the larger value.", nearer: "beyond what can be measured",
    licence: "Licence", commercial: "Commercial use", yes: "yes", no: "no", unknown: "unknown", parameters: "Parameters",
    kind: "Values", about: "What", saved: "{name} saved", noCamera: "There is no camera that this page may use: {why}",
    film: "Choose a film", filmForm: "Film of", filmStop: "Stop the film", filmSave: "Save the film", sending: "Sending: {percent} %",
    mapping: "{frames} of {total} frames", filmDone: "{name} is done", stopped: "Stopped", films: "Film",
    filmHow: "Sent to the server, mapped there steadily from frame to frame, and removed once it is here. A film that is dropped on this page is taken too.", progress: "Progress",
    filmWaits: "Waits for the films before it", title: "midas: depth from one picture", remove: "Remove {name}",
    welcome: "Depth of a photograph: bright is near, dark is far. Drop one anywhere on this page.", example: "Try an example",
    workingFirst: "Working on {name}; the network is loaded first, once (about 40 MB) …", live: "Camera", liveStart: "Start the camera",
    liveStop: "Stop the camera", liveKeep: "Keep this picture", liveFigures: "{rate} pictures a second, {ms} ms from camera to map",
    liveWait: "The server is busy; on in {seconds} s",
    liveHow: "What the camera sees, mapped as it happens; the newest picture always. Colours follow the nearest and the farthest in sight.",
    noSecure: "browsers open a camera only for pages of this machine or of https", noServer: "the server doesn't answer; does it still run?",
    noWebGl: "This browser doesn't draw in three dimensions (WebGL).", onlyMetres: "For metres: give two distances first",
    photoShown: "The photograph", mapShown: "Its depth in colours", livePhotoShown: "The camera",
    filmFrame: "The newest frame and its depth", filmShown: "The film of depth",
    unreadable: "the file is not a picture that this browser reads; convert it to JPEG or PNG",
    note: "Note", "kind-affine_invariant_inverse": "relative disparity: larger is nearer, no unit", "kind-metric": "metres",
    "format-png16": "PNG, 16 bits", "format-png8": "PNG, 8 bits", "format-png-mm": "PNG, millimetres", "format-color": "Colours (PNG)",
    "format-side-by-side": "Side by side (PNG)", "format-pfm": "PFM", "format-npy": "NumPy (NPY)", "format-npz": "NumPy (NPZ)",
    "format-exr": "OpenEXR", "format-tiff": "TIFF", "format-glb": "3D scene (GLB)", "format-json": "Statistics (JSON)",
    "film-color": "depth in colours", "film-side-by-side": "the film beside its depth", "film-stereo": "two eyes, side by side",
    "film-anaglyph": "red and cyan glasses", "film-bokeh": "shallow focus", "film-rgbd": "colours and depth (RGB-D)",
    notAllowed: "the browser or its user doesn't let this page use it", noneFound: "none is connected",
    inUse: "another program uses it, or it doesn't work", badAnswer: "the server's answer isn't a map; is something between it and this page?",
    statusOnly: "the server, or something in front of it, answers with status {status} and says no more",
    "note-midas_nano_256": "part of its training data was published for research use: read its card before commercial use",
    "model-midas_nano_256": "EfficientNet-Lite0 with a narrow fusion decoder; built in, trained by this project",
    "model-file": "a file of this server",
    "problem-unreadable": "The body is empty, damaged, or no form.",
    "problem-key": "The key is missing or wrong.",
    "problem-foreign": "A page of another site asks, which this server wasn't told to trust.",
    "problem-not-found": "There is no such film, or not any more.",
    "problem-not-acceptable": "No form of the answer is one that Accept asks for.",
    "problem-too-slow": "The body took too long to arrive.",
    "problem-too-large": "Too many bytes, or too many pixels.",
    "problem-unknown-type": "The body is no picture or film of a known format, whatever its Content-Type says.",
    "problem-range": "The file hasn't the part that Range asks for.",
    "problem-parameter": "A parameter is wrong, or doesn't go with this picture.",
    "problem-rate": "Too many requests of one key; see Retry-After.",
    "problem-busy": "Too much to do, or not ready yet; see Retry-After.",
    "problem-film": "The film can't be mapped as it is.",
    docsTitle: "midas: the HTTP API", docsPage: "The page", docsBegin: "To begin with",
    docsRelative: "The values are relative: larger is nearer, scale and shift are unknown, and they are not metres.", docsKey: "With a key:",
    docsRefusals: "Refusals", docsForm: "A request that is refused gets", docsFormOf: "(RFC 9457). What was wrong, what was expected, and what to do stands in its",
    docsStatus: "Status", docsMeaning: "Meaning", docsParameter: "Parameter", docsValues: "Values", docsBody: "Body: {text}",
    docsAnswers: "Answers: {forms}", docsHeaders: "Headers: {names}",
  },
  zh: {
    tagline: "由一张照片得到深度。数据不会离开本机。", language: "语言", pictures: "照片", drop: "把照片拖到或粘贴到这里，或者",
    choose: "选择文件", photograph: "拍照", shoot: "拍下", stop: "关闭相机", depth: "深度", show: "显示", compare: "对比", scene: "三维",
    slider: "从照片到深度", fov: "视角", ratio: "远近之比",
    turn: "拖动或用方向键旋转；用滚轮、双指或 + 和 - 拉近。视角和远近之比是假定的：单张照片无法得知。",
    look: "外观", colours: "配色", far: "远端", near: "近端", reset: "复位", metres: "米",
    how: "给出两个已知距离即可换算成米：先按按钮，再点照片中的一点（或用方向键移动并按回车）。", pick: "选一个点", distance: "距离（米）",
    download: "下载", model: "模型", size: "细节", own: "模型默认", key: "本服务器的密钥", use: "使用", api: "HTTP 接口",
    relative: "相对值，不是米：越大越近；比例和偏移未知。", metric: "沿光轴的距离，单位米。",
    aligned: "按您给出的两个距离换算成米；其余各处的精度取决于深度图。",
    loading: "载入中……", working: "正在处理 {name}……", done: "{name}：{width} × {height} 像素，{ms} 毫秒", failed: "失败：{why}", failedOf: "{name}：{why}",
    value: "数值 {value}，位置 {x}, {y}", valueMetres: "{metres} 米（数值 {value}），位置 {x}, {y}",
    noLine: "这两点不相符：较近的点数值应当较大。", nearer: "超出可测范围",
    licence: "许可", commercial: "商业使用", yes: "可以", no: "不可以", unknown: "未知", parameters: "参数量", kind: "数值类型", about: "说明",
    saved: "已保存 {name}", noCamera: "没有可用的相机：{why}",
    film: "选择影片", filmForm: "影片内容", filmStop: "停止", filmSave: "保存影片", sending: "正在上传：{percent}%",
    mapping: "已处理 {frames} / {total} 帧", filmDone: "{name} 已完成", stopped: "已停止", films: "影片",
    filmHow: "影片发送到服务器，逐帧稳定地处理，取回后即删除。也可把影片直接拖到本页面。", progress: "进度",
    filmWaits: "正在等待前面的影片", title: "midas：由一张照片得到深度", remove: "移除 {name}",
    welcome: "照片的深度：亮处近，暗处远。把照片拖到页面任意位置即可。", example: "试试示例照片",
    workingFirst: "正在处理 {name}；首次需载入网络（约 40 MB）……", live: "相机", liveStart: "打开相机", liveStop: "关闭相机",
    liveKeep: "保留这一张", liveFigures: "每秒 {rate} 张，从相机到深度图 {ms} 毫秒", liveWait: "服务器正忙，{seconds} 秒后继续",
    liveHow: "实时显示相机画面及其深度，始终取最新一张。配色随画面中最近和最远处而变。",
    noSecure: "浏览器只允许本机网页或 https 网页使用相机", noServer: "服务器没有回应，它还在运行吗？",
    noWebGl: "此浏览器不支持三维绘图（WebGL）。", onlyMetres: "仅用于米：请先给出两个距离",
    photoShown: "照片", mapShown: "照片的彩色深度", livePhotoShown: "相机画面",
    filmFrame: "最新一帧及其深度", filmShown: "深度影片",
    unreadable: "此浏览器无法读取该文件中的图片；请转换为 JPEG 或 PNG",
    note: "备注", "kind-affine_invariant_inverse": "相对视差：越大越近，无单位", "kind-metric": "米",
    "format-png16": "PNG，16 位", "format-png8": "PNG，8 位", "format-png-mm": "PNG，毫米", "format-color": "彩色（PNG）",
    "format-side-by-side": "左右对照（PNG）", "format-glb": "三维场景（GLB）", "format-json": "统计（JSON）",
    "film-color": "彩色深度", "film-side-by-side": "影片与深度并排", "film-stereo": "双眼并排", "film-anaglyph": "红青立体",
    "film-bokeh": "浅景深", "film-rgbd": "彩色与深度（RGB-D）",
    notAllowed: "浏览器或其用户未允许本页面使用", noneFound: "没有连接相机", inUse: "其他程序正在使用，或相机无法工作",
    badAnswer: "服务器的回应不是深度图；它与本页面之间是否另有设备？", statusOnly: "服务器或其前方的代理返回状态 {status}，未说明原因",
    "note-midas_nano_256": "部分训练数据仅供研究使用：商业使用前请阅读模型卡",
    "model-midas_nano_256": "EfficientNet-Lite0 配窄融合解码器；内置模型，由本项目训练", "model-file": "本服务器上的文件",
    "problem-unreadable": "内容为空、已损坏，或不是表单。", "problem-key": "缺少密钥，或密钥错误。",
    "problem-foreign": "请求来自其他网站的页面，本服务器未被告知信任它。", "problem-not-found": "没有这部影片，或已不在。",
    "problem-not-acceptable": "没有 Accept 所要求的格式。", "problem-too-slow": "内容未能及时送达。",
    "problem-too-large": "字节数或像素数超限。", "problem-unknown-type": "内容不是已知格式的图片或影片，无论 Content-Type 如何声明。",
    "problem-range": "文件中没有 Range 所要求的部分。", "problem-parameter": "参数有误，或与这张照片不符。",
    "problem-rate": "同一密钥请求过于频繁；见 Retry-After。", "problem-busy": "任务过多，或尚未就绪；见 Retry-After。",
    "problem-film": "这部影片无法处理。",
    docsTitle: "midas：HTTP 接口", docsPage: "返回页面", docsBegin: "入门",
    docsRelative: "数值是相对的：越大越近；比例和偏移未知，不是米。", docsKey: "使用密钥：",
    docsRefusals: "拒绝", docsForm: "被拒绝的请求会得到", docsFormOf: "（RFC 9457）。错在何处、应当如何、该怎么做，写在以下字段中：",
    docsStatus: "状态", docsMeaning: "含义", docsParameter: "参数", docsValues: "取值", docsBody: "内容：{text}",
    docsAnswers: "回应：{forms}", docsHeaders: "回应头：{names}",
  },
};

let language = "en";

/** A word in English, whatever the page speaks. */
export function english(name) {
  return WORDS.en[name];
}

/** Whether there is such a word. */
export function hasWord(name) {
  return name in WORDS.en;
}

/** A word, with what stands in braces filled in, errors as `why` says them; what a language lacks is said in English. */
export function word(name, parts = {}) {
  return (WORDS[language][name] ?? WORDS.en[name]).replace(/\{(\w+)\}/g, (_, part) => why(parts[part]));
}

/** An error that is said in the language of the page, also when that changes. */
export function failure(name, parts = {}) {
  return Object.assign(new Error(WORDS.en[name]), { said: [name, parts] });
}

/** What an error, or several, say. A server's own words are English; elsewhere the kind of its refusal comes first. */
function why(told) {
  if (Array.isArray(told)) return told.map(why).join("; ");
  if (!(told instanceof Error)) return told;
  if (told.said) return word(...told.said);
  const kind = `problem-${told.kind}`;
  return language !== "en" && hasWord(kind) ? `${word(kind)}（${told.message}）` : told.message;
}

/** The language of the page. */
export function spoken() {
  return language;
}

/** Turn the page to a language, and remember it. */
export function speak(chosen) {
  language = chosen in WORDS ? chosen : "en";
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", word(element.dataset.label));
  for (const element of document.querySelectorAll("[data-alt]")) element.alt = word(element.dataset.alt);
  remembered((storage) => storage.setItem("midas-language", language));
}

/** The language that was chosen last, or the browser's. */
export function usualLanguage() {
  return remembered((storage) => storage.getItem("midas-language")) ?? (navigator.language.startsWith("zh") ? "zh" : "en");
}

/** A browser that keeps nothing of pages throws; then nothing is remembered. */
function remembered(use) {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}
