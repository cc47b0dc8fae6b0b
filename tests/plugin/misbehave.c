/* A plugin that misbehaves on request.
 *
 * What it says of itself is wrong by a macro (-DSHORT_PLUGIN), since it is said only once. What it
 * does is wrong by the option or parameter "fault". Without either it behaves.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "som_plugin.h"

static int asked_for(const som_call *call, const char *fault) {
  return strcmp(call->text(call, "fault", ""), fault) == 0;
}

/* The 2x2 region that a good plugin would emit. */
static som_region good_region(void) {
  som_region region = {0};
  region.size = sizeof region;
  region.x = region.y = 1;
  region.width = region.height = 2;
  region.score = -1;
  return region;
}

static pthread_t creator;

static som_status create(const som_call *options, void **instance) {
  som_region region = good_region();
  creator = pthread_self();
  *instance = NULL;
  if (asked_for(options, "no weights")) {
    return options->fail(options, SOM_UNAVAILABLE, "weights not found at x.pth");
  }
  if (asked_for(options, "emits in create")) options->emit(options, &region);
  if (asked_for(options, "crashes in create")) abort();
  if (asked_for(options, "exits in create")) exit(0);
  return SOM_OK;
}

static void destroy(void *instance) { (void)instance; }

static som_status segment(void *instance, const som_call *call, const som_image *image) {
  static unsigned calls;
  som_region region = good_region();
  uint8_t empty[4] = {0};
  (void)instance;

  /* Wrong regions. */
  if (asked_for(call, "no region")) return call->emit(call, NULL);
  if (asked_for(call, "short region")) region.size = 8;
  if (asked_for(call, "region outside")) region.x = image->width - 1;
  if (asked_for(call, "region far outside")) region.x = region.width = UINT32_MAX;
  if (asked_for(call, "region without size")) region.width = 0;
  if (asked_for(call, "empty mask")) region.mask = empty;
  if (asked_for(call, "score above 1")) region.score = 1.5f;
  if (asked_for(call, "score NaN")) region.score = NAN;
  if (asked_for(call, "label not UTF-8")) region.label = "caf\xe9";
  if (asked_for(call, "label undeclared")) region.label = "cup";
  if (asked_for(call, "extra not JSON")) region.extra = "{level: 1}";
  if (asked_for(call, "extra not an object")) region.extra = "[1]";
  if (asked_for(call, "level too high")) region.extra = "{\"level\": 256}";
  if (asked_for(call, "parent missing")) region.extra = "{\"parent\": 1}";
  if (asked_for(call, "own parent")) region.extra = "{\"parent\": 0}";
  if (asked_for(call, "second region bad")) {
    call->emit(call, &region);
    region.height = image->height;
  }
  if (asked_for(call, "emits in spite of refusal")) {
    region.width = 0;
    call->emit(call, &region);
    region = good_region();
  }
  if (asked_for(call, "different every time")) region.width = 1 + calls++ % 2;
  if (asked_for(call, "reads behind the image")) {
    region.width = 1 + image->pixels[(size_t)3 * image->width * image->height] % 2;
  }

  /* Wrong endings. */
  if (asked_for(call, "unknown status")) return 77;
  if (asked_for(call, "negative status")) return call->fail(call, -1, "minus one");
  if (asked_for(call, "no reason")) return SOM_EXHAUSTED;
  if (asked_for(call, "reason not UTF-8")) return call->fail(call, SOM_INVALID, "caf\xe9");
  if (asked_for(call, "two reasons")) {
    call->fail(call, SOM_UNSUPPORTED, "the first reason");
    return call->fail(call, SOM_UNSUPPORTED, "the second reason");
  }
  if (asked_for(call, "cancels itself")) return SOM_CANCELLED;
  if (asked_for(call, "a bug")) return call->fail(call, SOM_INTERNAL, "a bug");
  if (asked_for(call, "crashes")) abort();
  if (asked_for(call, "exits")) exit(3);
  if (asked_for(call, "exits well")) exit(0);
  if (asked_for(call, "hangs")) for (;;) sleep(1);
  if (asked_for(call, "prints")) puts("here I am");

  /* Wrong only now and then. */
  if (asked_for(call, "refuses small images") && image->width < 3) {
    return call->fail(call, SOM_INVALID, "too small");
  }
  if (asked_for(call, "refuses the maximum") && call->number(call, "strength", 0) == 9) {
    return call->fail(call, SOM_INVALID, "too strong");
  }
  if (asked_for(call, "refuses other threads") && !pthread_equal(creator, pthread_self())) {
    return call->fail(call, SOM_INTERNAL, "another thread");
  }
  if (asked_for(call, "writes to the image")) ((uint8_t *)image->pixels)[0] ^= 1;
#ifdef REFUSES_HINTS
  if (strstr(call->params, "\"hints\"")) return call->fail(call, SOM_INVALID, "no hints");
#endif

  /* Wrong manners when the caller is gone. */
  if (asked_for(call, "ignores cancellation")) return SOM_OK;
  if (asked_for(call, "sleeps through cancellation") && call->cancelled(call)) sleep(6);
  if (asked_for(call, "emits after cancellation") && call->cancelled(call)) {
    call->emit(call, &region);
    return SOM_OK;
  }
  if (call->cancelled(call)) return SOM_CANCELLED;
  if (image->width < 3 || image->height < 3) return SOM_OK;
  return call->emit(call, &region);
}

#ifdef NULL_ID
#define ID NULL
#elif defined BAD_ID
#define ID "Mis behave"
#elif defined ID_NOT_UTF8
#define ID "mis\xff"
#else
#define ID "misbehave"
#endif

#ifdef BAD_VERSION
#define VERSION "1"
#else
#define VERSION "1.0.0"
#endif

#ifdef ABOUT_NOT_UTF8
#define ABOUT "caf\xe9"
#else
#define ABOUT "Misbehaves"
#endif

#define FAULT "{\"type\": \"object\", \"properties\": {\"fault\": {\"type\": \"string\"}}}"
#define STRENGTH "\"strength\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 9, \"default\": 5}"
#define PARAMS "{\"properties\": {\"fault\": {\"type\": \"string\"}, " STRENGTH "}}"
#if defined SCHEMA_NOT_JSON
#define SCHEMA "{"
#elif defined UNKNOWN_CAPABILITY
#define SCHEMA "{\"capabilities\": [\"magic\"]}"
#elif defined SCHEMA_TAKES_ANYTHING
#define SCHEMA "{\"params\": {\"type\": \"object\", \"additionalProperties\": true}}"
#elif defined BAD_DEFAULT
#define SCHEMA "{\"params\": {\"properties\": {\"n\": {\"type\": \"integer\", \"default\": \"x\"}}}}"
#elif defined NO_CAPABILITY
#define SCHEMA "{\"params\": " FAULT "}"
#elif defined LEVELS_WITHOUT_LEVEL
#define SCHEMA "{\"capabilities\": [\"automatic\", \"levels\"]}"
#elif defined UNDECLARED_HINTS
#define SCHEMA "{\"capabilities\": [\"automatic\"], \"params\": {\"properties\": {\"hints\": {}}}}"
#elif defined NOT_AUTOMATIC
#define SCHEMA "{\"capabilities\": [\"boxes\"]}"
#elif defined REFUSES_HINTS
#define SCHEMA "{\"capabilities\": [\"automatic\", \"points\"]}"
#else
#define SCHEMA "{\"capabilities\": [\"automatic\"], \"options\": " FAULT ", \"params\": " PARAMS "}"
#endif

static const som_segmenter misbehave = {
#ifdef SHORT_SEGMENTER
    8,
#else
    sizeof(som_segmenter),
#endif
    ID, VERSION, ABOUT, SCHEMA,
#ifdef NULL_CREATE
    NULL,
#else
    create,
#endif
#ifdef NULL_SEGMENT
    NULL,
#else
    segment,
#endif
#ifdef NULL_DESTROY
    NULL,
#else
    destroy,
#endif
};

/* A mark style, wrong by the parameter "fault" as well. */

static size_t label(uint32_t index, char *out, size_t cap) {
#if defined LABELS_ALIKE
  const char *text = "x";
  (void)index;
#else
  char text[12] = {0};
  size_t digits = 0;
  do text[digits++] = (char)('0' + index % 10); while (index /= 10);
#endif
#if defined EMPTY_LABEL
  text[0] = 0;
#elif defined LABEL_NOT_UTF8
  text[0] = '\xe9';
#elif defined LABEL_TOO_LONG
  return 1 << 20;
#elif defined LABEL_WRONG_LENGTH
  if (cap > 1) out[0] = 0;
  return 3;
#endif
#ifdef LABEL_OVERRUNS
  cap = sizeof text;
#endif
  if (cap > 0) {
    size_t room = cap - 1, length = strlen(text);
    memcpy(out, text, length < room ? length : room);
    out[length < room ? length : room] = 0;
  }
  return strlen(text);
}

static som_status measure(const som_call *call, const char *text, uint32_t *width,
                          uint32_t *height) {
  *width = asked_for(call, "no size") ? 0 : (uint32_t)(8 * strlen(text));
  *height = 12;
  return SOM_OK;
}

static som_status draw(const som_call *call, const som_canvas *canvas,
                       const som_mark *const *marks, size_t mark_count) {
  size_t bytes = (size_t)3 * canvas->width * canvas->height;
  if (asked_for(call, "draws below")) canvas->pixels[bytes] ^= 1;
  if (asked_for(call, "draws above")) canvas->pixels[-1] ^= 1;
  if (asked_for(call, "no reason")) return SOM_INVALID;
  if (asked_for(call, "emits")) {
    som_region region = good_region();
    return call->emit(call, &region);
  }
  if (asked_for(call, "draws without marks") || mark_count > 0) canvas->pixels[0] ^= 0xff;
  (void)marks;
  return SOM_OK;
}

static const som_mark_style scribble = {
    sizeof(som_mark_style), "scribble", "1.0.0", "Scribbles", "{\"params\": " FAULT "}",
#ifdef MEASURE_WITHOUT_LABEL
    NULL,
#else
    label,
#endif
#ifdef LABEL_WITHOUT_MEASURE
    NULL,
#else
    measure,
#endif
#ifdef NULL_DRAW
    NULL,
#else
    draw,
#endif
    0,
};

#ifdef TWINS
static const som_segmenter *const segmenters[] = {&misbehave, &misbehave, NULL};
#else
static const som_segmenter *const segmenters[] = {&misbehave, NULL};
#endif
static const som_mark_style *const mark_styles[] = {&scribble, NULL};

static const som_plugin plugin = {
#ifdef SHORT_PLUGIN
    8,
#else
    sizeof(som_plugin),
#endif
#ifdef NULL_LISTS
    NULL, NULL, NULL,
#else
    segmenters, mark_styles, NULL,
#endif
};

#ifdef NEEDS_A_SYMBOL
int a_symbol_that_is_nowhere(void);
int (*needed)(void) = a_symbol_that_is_nowhere;
#endif

#ifdef EXPORTS_MORE
int helper(void) { return 1; }
#endif

#ifndef NO_ENTRY
const som_plugin *som_plugin_entry_v1(const som_host *host) {
#ifdef REFUSES
  host->log(host, 1, "this machine has no lens");
  host->log(host, 3, "good bye");
  return NULL;
#elif defined REFUSES_SILENTLY
  (void)host;
  return NULL;
#else
  (void)host;
  return &plugin;
#endif
}
#endif
