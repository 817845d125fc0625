/* closs from a Python extension in plain C, with nothing to link: the functions come from the capsule of the closs that
 * the process has imported.
 *
 *     python setup.py build_ext --inplace
 *     python -c "import closs_capsule, numpy; print(closs_capsule.huber_sum(numpy.ones(3), numpy.zeros(3), 1))"
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <closs/closs.h>

#include <string.h>

static closs_status (*huber)(const closs_elementwise_f64 *, double);
static const char *(*status_string)(closs_status);

/* A member may be read only if it lies within the table's size, and functions may be called only if their interface is
 * the one of the header that this was compiled with. */
static int load_closs(void) {
    const closs_api *api = PyCapsule_Import("closs._core.C_API", 0);
    if (!api) return -1;
    if (api->size < sizeof(closs_api) || api->abi != CLOSS_ABI_VERSION) {
        PyErr_Format(PyExc_ImportError, "closs: expected a table of %zu bytes of interface %d, got %llu bytes of %lld",
                     sizeof(closs_api), CLOSS_ABI_VERSION, (unsigned long long)api->size, (long long)api->abi);
        return -1;
    }
    for (int64_t k = 0; k < api->count; k++) {
        const closs_api_entry *entry = &api->entries[k];
        if (strcmp(entry->name, "closs_huber_f64") == 0)
            huber = (closs_status (*)(const closs_elementwise_f64 *, double))entry->function;
        if (strcmp(entry->name, "closs_status_string") == 0)
            status_string = (const char *(*)(closs_status))entry->function;
    }
    if (huber && status_string) return 0;
    PyErr_Format(PyExc_ImportError, "closs %s lacks a function", api->version);
    return -1;
}

/* A C-contiguous array of doubles. */
static int get_doubles(PyObject *object, const char *name, Py_buffer *view) {
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) return -1;
    if (strcmp(view->format, "d") == 0) return 0;
    PyErr_Format(PyExc_TypeError, "%s: expected elements of type d, got %s", name, view->format);
    PyBuffer_Release(view);
    return -1;
}

static PyObject *huber_sum(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *objects[2];
    Py_buffer pred, label;
    double rho, total = 0;
    if (!PyArg_ParseTuple(arguments, "OOd", &objects[0], &objects[1], &rho)) return NULL;
    if (get_doubles(objects[0], "pred", &pred) < 0) return NULL;
    if (get_doubles(objects[1], "label", &label) < 0) {
        PyBuffer_Release(&pred);
        return NULL;
    }
    closs_status status = CLOSS_BAD_SIZE;
    if (pred.len == label.len) {
        const closs_elementwise_f64 args = {.batch = 1,
                                            .inner = pred.len / pred.itemsize,
                                            .pred = pred.buf,
                                            .label = label.buf,
                                            .reduction = CLOSS_SUM,
                                            .total = &total};
        Py_BEGIN_ALLOW_THREADS;
        status = huber(&args, rho);
        Py_END_ALLOW_THREADS;
    }
    PyBuffer_Release(&pred);
    PyBuffer_Release(&label);
    if (status == CLOSS_OK) return PyFloat_FromDouble(total);
    return PyErr_Format(PyExc_ValueError, "closs: %s", status_string(status));
}

static PyMethodDef methods[] = {
    {"huber_sum", huber_sum, METH_VARARGS,
     "huber_sum(pred, label, rho): the sum of the Huber loss of two arrays of doubles"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "closs_capsule", .m_size = -1,
                                        .m_methods = methods};

PyMODINIT_FUNC PyInit_closs_capsule(void);

PyMODINIT_FUNC PyInit_closs_capsule(void) { return load_closs() < 0 ? NULL : PyModule_Create(&definition); }
