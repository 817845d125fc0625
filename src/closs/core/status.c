#include "closs/closs.h"

const char *closs_version(void) { return CLOSS_VERSION_STRING; }

const char *closs_status_string(closs_status status) {
    switch (status) {
    case CLOSS_OK: return "no error";
    case CLOSS_NULL_POINTER: return "a pointer is NULL where elements have to be read";
    case CLOSS_BAD_SIZE: return "a size is negative, or the product of the sizes is too large";
    case CLOSS_BAD_BROADCAST: return "a repeat or period is negative";
    case CLOSS_BAD_REDUCTION: return "unknown reduction";
    case CLOSS_BAD_PARAMETER: return "a parameter is outside its range or not finite";
    case CLOSS_MISALIGNED: return "a pointer is not aligned to its type";
    case CLOSS_OVERLAP: return "an output overlaps another array (only grad may be pred itself)";
    case CLOSS_UNKNOWN_LOSS: return "unknown loss";
    case CLOSS_MISSING_OUTPUT: return "no output is given, or one that this reduction does not have";
    case CLOSS_BAD_LABEL: return "a label is out of range";
    case CLOSS_NO_MEMORY: return "out of memory";
    case CLOSS_TOO_NEW: return "a reserved field is not 0: an argument of a later release, or memory never set to 0";
    case CLOSS_BAD_LENGTH: return "a length of labels or of pred is negative or beyond its array";
    case CLOSS_INFEASIBLE: return "no path spells the labels of a sample";
    }
    return "unknown status";
}
