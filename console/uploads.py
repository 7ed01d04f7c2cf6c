"""Files in requests are refused while they arrive, everywhere but on the page that asks for one.

Django reads a form's body before it knows who sends it (its CSRF check does): with the usual handlers anybody could
fill the disk.
"""

from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class NoFiles(FileUploadHandler):
    def new_file(self, *args, **kwargs):
        raise StopUpload(connection_reset=True)  # what is left of the body is not even read

    def receive_data_chunk(self, raw_data, start):
        return None

    def file_complete(self, file_size):
        return None
